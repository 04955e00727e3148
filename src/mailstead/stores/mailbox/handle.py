"""One mailbox file in one process: opened when used, closed when idle.

Every read and write has a connection to itself while it lasts, so that no long read holds up another; idle ones are
kept. Writers of one process queue at a lock, writers of several at SQLite's own. While any connection is open the
process holds a shared lock on the mailbox's folder: whoever replaces the file takes it exclusively (see rotation.py),
and so knows that nobody has the old one open.
"""

import fcntl
import hashlib
import hmac
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import structlog

from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import open_any_cipher, patience, select, transaction, translated
from mailstead.stores.mailbox.errors import MailboxBusyError, MailboxDamagedError, WrongKeyError
from mailstead.stores.mailbox.files import FILE, handed_over, is_set_aside, must_let_go, try_lock
from mailstead.stores.mailbox.folders import INBOX, create_folder
from mailstead.stores.mailbox.schema import DEFAULT_FOLDERS, migrate
from mailstead.stores.mailbox.snapshots import Snapshots

log = structlog.get_logger("mailstead.mailbox")
_LOOK_AGAIN = 0.05  # seconds between looks whether somebody wants to be alone with the file
_KEPT = 3  # idle connections kept per mailbox


class MailboxConnection(apsw.Connection):
    """A connection with the compression that its file uses."""

    codec: Codec


class Handle:
    """The file, its key, and the connections there are."""

    def __init__(
        self,
        mailbox_id: str,
        folder: Path,
        key: DataKey,
        settings: MailboxSettings,
        on_commit: Callable[[str, int], None],
        on_lessons: Callable[[str], None],
    ) -> None:
        self.mailbox_id = mailbox_id
        self.folder = folder
        self.key = key.copy()
        self.used_at = time.monotonic()
        self.damage = ""  # what SQLite said when a read failed
        self.users: weakref.WeakSet[object] = weakref.WeakSet()  # the sessions that hold this mailbox
        self.snapshots = Snapshots()
        self._settings = settings
        self._on_commit = on_commit
        self.on_lessons = on_lessons
        self._former: set[bytes] = set()
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self._idle: list[MailboxConnection] = []
        self._count = 0
        self._looked_at = 0.0
        self._is_forgotten = False
        self._closed_at = 0  # connections opened before the last close are closed when given back
        self._lock_file = -1
        self._nested = threading.local()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._count > 0

    @property
    def is_free(self) -> bool:
        """Whether an idle connection waits: a read would begin at once."""
        return bool(self._idle)

    def accepts(self, key: DataKey) -> bool:
        """Whether `key` is this mailbox's, or was before a rotation that this process followed."""
        return hmac.compare_digest(self.key.raw(), key.raw()) or _digest(key) in self._former

    def adopt(self, key: DataKey) -> None:
        """Go on with a new key: the data key was rotated."""
        self._take_over(key)
        self.close()

    def _take_over(self, key: DataKey) -> None:
        with self._guard:
            if not self._is_forgotten and not hmac.compare_digest(self.key.raw(), key.raw()):
                self._former.add(_digest(self.key))
                former, self.key = self.key, key.copy()
                former.close()

    def _take(self) -> tuple[MailboxConnection, int]:
        self.used_at = time.monotonic()
        with self._guard:
            if self._idle:
                return self._idle.pop(), self._closed_at
            if self._count == 0:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock_file = _shared_lock(self.folder, self._settings.busy_timeout)
            self._count += 1
            opened_at = self._closed_at
        try:
            return self._open(), opened_at
        except BaseException:
            self._gone()
            raise

    def _give(self, connection: MailboxConnection, opened_at: int) -> None:
        leave = False
        if self.used_at - self._looked_at > _LOOK_AGAIN:  # a look at the file system costs as much as a read
            self._looked_at = self.used_at
            leave = must_let_go(self.folder)
        with self._guard:
            if opened_at == self._closed_at and len(self._idle) < _KEPT and not leave:
                self._idle.append(connection)
                return
        connection.close()
        self._gone()

    def _gone(self) -> None:
        with self._guard:
            self._count -= 1
            if self._count == 0:
                os.close(self._lock_file)
                self._lock_file = -1

    def _open(self) -> MailboxConnection:
        path = self.folder / FILE
        if not path.exists() and is_set_aside(self.folder):
            raise MailboxDamagedError("Mailbox was set aside as damaged; restore a snapshot", detail=str(self.folder))
        with self.current_key() as key:
            connection = self._connect_led_on(path, key)
        try:
            if migrate(connection):
                path.chmod(0o600)
            if not _has_folder(connection, INBOX):
                # New, or made by somebody who was killed, or is about to make them: looked at by INBOX, not by whether
                # the schema was made here.
                with transaction(connection):
                    for name, special_use in DEFAULT_FOLDERS:
                        if not _has_folder(connection, name):
                            create_folder(connection, name, special_use)
                            connection.execute("INSERT OR IGNORE INTO subscription VALUES (?)", (name,))
            connection.codec = Codec(connection)
        except apsw.Error as error:
            connection.close()
            raise self._noted(error) from error
        return connection

    def current_key(self) -> DataKey:
        """The key as it is now, in a buffer of the caller's own: another thread may adopt the next one meanwhile.

        Raises MailboxBusyError when the mailbox was closed for good.
        """
        with self._guard:
            if self._is_forgotten:
                raise MailboxBusyError(detail="the mailbox was closed for good")
            return self.key.copy()

    def _connect_led_on(self, path: Path, key: DataKey) -> MailboxConnection:
        """A connection with `key`, or with its follower: a rotation was cut off between the file and the directory."""
        try:
            return self._connect(path, key)
        except WrongKeyError:
            following = handed_over(self.folder, key)
            if following is None:
                raise
        with following:
            connection = self._connect(path, following)
            self._take_over(following)
        return connection

    def _connect(self, path: Path, key: DataKey) -> MailboxConnection:
        return open_any_cipher(path, key, self._settings.cipher, self._settings.busy_timeout, MailboxConnection)

    def _noted(self, error: apsw.Error) -> MailboxBusyError | MailboxDamagedError:
        found = translated(error)
        if isinstance(found, MailboxDamagedError):
            self.damage = str(error)
            log.error("mailbox cannot be read", mailbox=self.mailbox_id, why=str(error))
        return found

    @contextmanager
    def stream(self) -> Iterator[MailboxConnection]:
        """A connection without a transaction, which may be held across pauses and given back on another thread."""
        connection, opened_at = self._take()
        try:
            yield connection
        except apsw.Error as error:
            raise self._noted(error) from error
        finally:
            self._give(connection, opened_at)

    @contextmanager
    def plain(self) -> Iterator[MailboxConnection]:
        """The connection of this thread without a transaction, for work that makes its own."""
        held: MailboxConnection | None = getattr(self._nested, "connection", None)
        if held is not None:
            yield held
            return
        with self.stream() as connection:
            self._nested.connection = connection
            try:
                yield connection
            finally:
                self._nested.connection = None

    @contextmanager
    def read(self) -> Iterator[MailboxConnection]:
        """One consistent view. Raises MailboxDamagedError, MailboxBusyError."""
        with self.plain() as connection:
            nested = not connection.get_autocommit()
            if not nested:
                connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if not nested and not connection.get_autocommit():
                    connection.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[MailboxConnection]:
        """One durable transaction; `on_commit` is called after it when it used a modseq."""
        waits = not getattr(self._nested, "at_once", False)
        if not self._writing.acquire(blocking=waits):
            raise MailboxBusyError(detail="another thread writes")
        try:
            with self.plain() as connection:
                if not waits:
                    connection.set_busy_handler(None)
                try:
                    with transaction(connection):
                        before = _modseq(connection)
                        yield connection
                        after = _modseq(connection)
                finally:
                    if not waits:
                        connection.set_busy_handler(patience(self._settings.busy_timeout))
        finally:
            self._writing.release()
        if after != before:
            self._on_commit(self.mailbox_id, after)

    def let_go(self) -> None:
        """Close the file when a process wants to be alone with it."""
        if self._count and must_let_go(self.folder):
            self.close()

    def opens_with(self, key: DataKey) -> bool:
        """Whether the file opens with `key`, which is then this mailbox's. Raises MailboxDamagedError."""
        descriptor = _shared_lock(self.folder, self._settings.busy_timeout)
        try:
            self._connect(self.folder / FILE, key).close()
        except WrongKeyError:
            return False
        finally:
            os.close(descriptor)
        self.adopt(key)
        return True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within it, on this thread, a write never waits for another: MailboxBusyError instead, nothing written."""
        self._nested.at_once = True
        try:
            yield
        finally:
            self._nested.at_once = False

    def close(self) -> None:
        """Close what is idle now and the rest when it is given back; the next use opens the file again."""
        self.snapshots.clear()
        with self._guard:
            idle, self._idle = self._idle, []
            self._closed_at += 1
        for connection in idle:
            connection.close()
            self._gone()

    def forget(self) -> None:
        """Close for good and zero the key; whoever still has this handle gets MailboxBusyError."""
        self.close()
        with self._guard:
            self._is_forgotten = True
            self.key.close()


def _has_folder(connection: apsw.Connection, name: str) -> bool:
    return bool(select(connection, "SELECT 1 FROM folder WHERE name = ?", (name,)))


def _digest(key: DataKey) -> bytes:
    return hashlib.sha256(key.raw()).digest()


def _modseq(connection: apsw.Connection) -> int:
    return int(select(connection, "SELECT value FROM counter WHERE name = 'modseq'")[0][0])


def _shared_lock(folder: Path, seconds: float) -> int:
    """A shared lock on the folder. Raises MailboxBusyError while somebody replaces the file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    wait = patience(seconds)
    attempts = 0
    while must_let_go(folder) or not try_lock(descriptor, fcntl.LOCK_SH):
        if not wait(attempts):
            os.close(descriptor)
            raise MailboxBusyError(detail="the mailbox's file is being replaced")
        attempts += 1
    return descriptor
