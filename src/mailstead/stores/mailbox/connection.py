"""The encrypted file: how it is opened, and its one writer at a time."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import apsw

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.errors import MailboxBusyError, MailboxDamagedError, WrongKeyError

_CACHE_KIBIBYTES = 4096
_LEAST_WAIT, _MOST_WAIT = 0.0002, 0.001
# URIs are taken so that VACUUM INTO can name another key (rotation.py)
_OPEN = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
C = TypeVar("C", bound=apsw.Connection)


def patience(seconds: float) -> Callable[[int], bool]:
    """A busy handler: waits 0.2 to 1 ms and tries again, for at most `seconds`; SQLite's own backs off far longer."""
    deadline = 0.0

    def wait(attempts: int) -> bool:
        nonlocal deadline
        if attempts == 0:
            deadline = time.monotonic() + seconds
        if time.monotonic() > deadline:
            return False
        time.sleep(random.uniform(_LEAST_WAIT, _MOST_WAIT))  # noqa: S311 no secret
        return True

    return wait


def open_connection(path: Path, key: DataKey, cipher: str, busy_seconds: float, kind: type[C]) -> C:
    """Open or make the file. Order matters: busy handler, cipher, key, then everything else.

    Raises WrongKeyError, MailboxDamagedError, MailboxBusyError.
    """
    connection = kind(str(path), flags=_OPEN)
    try:
        connection.set_busy_handler(patience(busy_seconds))
        connection.pragma("cipher", cipher)
        connection.pragma("key", f"raw:{key.hex()}")
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 2)
        connection.pragma("secure_delete", 0)
        connection.pragma("cache_size", -_CACHE_KIBIBYTES)
        connection.pragma("temp_store", 2)
    except apsw.NotADBError:
        connection.close()
        raise WrongKeyError(detail=str(path)) from None
    except apsw.Error as error:
        connection.close()
        raise translated(error) from error
    return connection


CIPHERS = ("aegis", "chacha20")


def open_any_cipher(path: Path, key: DataKey, cipher: str, busy_seconds: float, kind: type[C]) -> C:
    """Open the file whatever cipher it was made with; a new one is made with `cipher`. Raises as open_connection."""
    try:
        return open_connection(path, key, cipher, busy_seconds, kind)
    except WrongKeyError:
        for other in CIPHERS:
            if other != cipher:
                return open_connection(path, key, other, busy_seconds, kind)
        raise


def translated(error: apsw.Error) -> MailboxBusyError | MailboxDamagedError:
    """SQLite's error as one of ours."""
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return MailboxBusyError(detail=str(error))
    return MailboxDamagedError(detail=f"{type(error).__name__}: {error}")


def select(connection: apsw.Connection, statement: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement at once."""
    return cast(list[tuple[Any, ...]], connection.execute(statement, bindings).fetchall())


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """One write transaction, durable when left; undone by any exception."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except apsw.Error as error:
        raise translated(error) from error
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if not connection.get_autocommit():
            connection.execute("ROLLBACK")
        raise
