"""One mailbox file in one process: opened when used, closed when idle, one thread at a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import structlog

from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import open_connection, select, transaction, translated
from mailstead.stores.mailbox.folders import create_folder
from mailstead.stores.mailbox.schema import DEFAULT_FOLDERS, migrate

log = structlog.get_logger("mailstead.mailbox")


class Handle:
    """The file, its key, and the connection while there is one."""

    def __init__(
        self,
        mailbox_id: str,
        folder: Path,
        key: DataKey,
        settings: MailboxSettings,
        codec: Codec,
        on_commit: Callable[[str, int], None],
    ) -> None:
        self.mailbox_id = mailbox_id
        self.folder = folder
        self.key = key.copy()
        self.codec = codec
        self.used_at = time.monotonic()
        self._settings = settings
        self._on_commit = on_commit
        self._lock = threading.RLock()
        self._connection: apsw.Connection | None = None
        self._data_version = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None

    def _opened(self) -> apsw.Connection:
        self.used_at = time.monotonic()
        if self._connection is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / "mailbox.db"
            connection = open_connection(path, self.key, self._settings.cipher, self._settings.busy_timeout)
            try:
                if migrate(connection):
                    path.chmod(0o600)
                    with transaction(connection):
                        for name, special_use in DEFAULT_FOLDERS:
                            if not select(connection, "SELECT 1 FROM folder WHERE name = ?", (name,)):
                                create_folder(connection, name, special_use)
                                connection.execute("INSERT OR IGNORE INTO subscription VALUES (?)", (name,))
            except apsw.Error as error:
                connection.close()
                raise translated(error) from error
            self._connection = connection
        return self._connection

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """One consistent view. Raises MailboxDamagedError, MailboxBusyError."""
        with self._lock:
            connection = self._opened()
            try:
                nested = not connection.get_autocommit()
                if not nested:
                    connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    if not nested and not connection.get_autocommit():
                        connection.execute("COMMIT")
            except apsw.Error as error:
                raise translated(error) from error

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """One durable transaction; `on_commit` is called after it when it used a modseq."""
        with self._lock:
            connection = self._opened()
            try:
                with transaction(connection):
                    before = _modseq(connection)
                    yield connection
                    after = _modseq(connection)
            except apsw.Error as error:
                raise translated(error) from error
        if after != before:
            self._on_commit(self.mailbox_id, after)

    @contextmanager
    def plain(self) -> Iterator[apsw.Connection]:
        """The connection without a transaction, for work that makes its own."""
        with self._lock:
            try:
                yield self._opened()
            except apsw.Error as error:
                raise translated(error) from error

    def changed_elsewhere(self) -> bool:
        """Whether another process committed since the last call; costs microseconds."""
        with self._lock:
            if self._connection is None:
                return True
            version = int(select(self._connection, "PRAGMA data_version")[0][0])
            changed = version != self._data_version
            self._data_version = version
            return changed

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def forget(self) -> None:
        """Close for good and zero the key."""
        self.close()
        self.key.close()


def _modseq(connection: apsw.Connection) -> int:
    return int(select(connection, "SELECT value FROM counter WHERE name = 'modseq'")[0][0])
