"""Connections to the file: permissions, durability, waiting for other processes."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.stores.documents.interface import StoreUnavailableError

BUDGET_STEP = 1000  # SQLite's virtual machine steps between two looks at the budget; about 50 us


class Budget:
    """Stops statements on the event loop that would run for long; counts down in BUDGET_STEPs."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 0

    def __call__(self) -> bool:
        """Whether to stop."""
        self.left -= 1
        return self.left < 0


class Patience:
    """Busy handler: looks again after 0.2 to 1 ms, for `timeout` seconds; not at all while `on` is false.

    SQLite's own handler backs off to 100 ms, which makes the unlucky writer wait a second and more.
    """

    __slots__ = ("_deadline", "_timeout", "on")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._deadline = 0.0
        self.on = True

    def __call__(self, attempts: int) -> bool:
        """Whether to try again; waits before that."""
        if not self.on:
            return False
        now = time.monotonic()
        if attempts == 0:
            self._deadline = now + self._timeout
        if now >= self._deadline:
            return False
        time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311 spreads writers, guards nothing
        return True


def make_file(path: Path) -> None:
    """Make the database's folder (0700) and an empty file (0600), which its -wal and -shm take after."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def open_connection(path: Path, settings: DocumentsSettings) -> tuple[apsw.Connection, Patience]:
    """A connection that commits durably, and its busy handler. Raises StoreUnavailableError."""
    patience = Patience(settings.busy_timeout)
    with storage_errors():
        connection = apsw.Connection(str(path))
        connection.set_busy_handler(patience)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=FAST",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "journal_size_limit=67108864",
            f"cache_size=-{max(settings.cache_size // 1024, 64)}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection, patience


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns what the disk or other processes cause into StoreUnavailableError; mistakes of ours pass as they are."""
    try:
        yield
    except (
        apsw.BusyError,
        apsw.LockedError,
        apsw.FullError,
        apsw.IOError,
        apsw.CantOpenError,
        apsw.ReadOnlyError,
        apsw.CorruptError,
        apsw.NotADBError,
        apsw.NoMemError,
        apsw.ProtocolError,
    ) as error:
        raise StoreUnavailableError(detail=f"{type(error).__name__}: {error}") from error


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """One write transaction: committed at the end, rolled back when anything is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


@contextmanager
def whole_read(connection: apsw.Connection) -> Iterator[None]:
    """One read transaction: all that is read in it is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        roll_back(connection)


def roll_back(connection: apsw.Connection) -> None:
    """End the transaction without a trace; SQLite may have done so by itself after an error of the disk."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
