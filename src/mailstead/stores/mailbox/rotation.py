"""Rotation of a mailbox's data key: the whole file written anew under another key, and put in place of the old one.

States, each of which a crash may leave and every holder of a current credential can read:

    old     mailbox.db under the old key, perhaps a useless copy beside it
    handed  rotation.json written: the new key under the old one; mailbox.db is the old one still
    moved   mailbox.db is the new one, the directory has the old slots: rotation.json leads from the old key to the new
    new     the directory has the new slots, rotation.json is removed

Nobody has the file open meanwhile: rotation.lock asks every process to let go, an exclusive lock on the folder says
that all did (handle.py). Both are locks of the kernel, so they end with the process that holds them.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw
import msgspec

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.slot import Slot
from mailstead.stores.mailbox.connection import open_any_cipher, open_connection, select, transaction, translated
from mailstead.stores.mailbox.errors import MailboxBusyError, MailboxDamagedError
from mailstead.stores.mailbox.files import (
    FILE,
    ROTATED,
    ROTATION,
    ROTATION_LOCK,
    Rotation,
    hand_over,
    read_rotation,
    replace_file,
    sync_directory,
    sync_file,
)
from mailstead.stores.mailbox.sealed import FORMER_KEYS, key_pair

Reached = Callable[[str], None]
STEPS = ("kept", "copied", "verified", "synced", "handed", "moved")
_TRY_AGAIN = 0.05


@contextmanager
def alone(folder: Path, seconds: float) -> Iterator[None]:
    """While this lasts no process has the mailbox's file open, nor opens it.

    Waits for those that have, at most `seconds`. Raises MailboxBusyError, OSError.
    """
    gate = os.open(folder / ROTATION_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MailboxBusyError("The mailbox's file is being replaced already") from None
        with _exclusive(folder, seconds):
            yield
        (folder / ROTATION_LOCK).unlink(missing_ok=True)
    finally:
        os.close(gate)


@contextmanager
def _exclusive(folder: Path, seconds: float) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise MailboxBusyError("Another process does not let go of the mailbox") from None
                time.sleep(_TRY_AGAIN)
        yield
    finally:
        os.close(descriptor)


def rotate_file(
    folder: Path, key: DataKey, following: DataKey, slots: tuple[Slot, ...], cipher: str, busy: float, reached: Reached
) -> Rotation:
    """Bring the file from `key` to `following`, which `slots` wrap; within `alone`.

    `reached` is called with each of STEPS. Raises MailboxDamagedError, MailboxBusyError, OSError.
    """
    path, copy = folder / FILE, folder / ROTATED
    _remove(copy)
    connection = open_any_cipher(path, key, cipher, busy, apsw.Connection)
    try:
        with transaction(connection):
            _keep_incoming_key(connection, key)
        reached("kept")
        connection.pragma("wal_checkpoint", "truncate")
        # a bound value: the key stands in no statement text
        target = f"file:{quote(str(copy))}?cipher={cipher}&key=raw:{following.hex()}"
        connection.execute("VACUUM INTO ?", (target,))
        before = _counts(connection)
    except apsw.Error as error:
        raise translated(error) from error
    finally:
        connection.close()
    reached("copied")
    _verify(copy, following, cipher, busy, before)
    reached("verified")
    copy.chmod(0o600)
    sync_file(copy)
    reached("synced")
    rotation = Rotation(hand_over(key, following), slots, key_pair(following).public)
    replace_file(folder / ROTATION, msgspec.json.encode(rotation))
    reached("handed")
    for suffix in ("-wal", "-shm"):  # empty since the last connection was closed
        (folder / f"{FILE}{suffix}").unlink(missing_ok=True)
    copy.rename(path)
    sync_directory(folder)
    reached("moved")
    return rotation


def is_pending(folder: Path) -> bool:
    """Whether a rotation left anything to be finished or cleared away."""
    return (folder / ROTATION).exists() or (folder / ROTATED).exists()


def interrupted(folder: Path) -> Rotation | None:
    """The rotation whose file is in place while the directory may not know; within `alone`.

    What is left of one that did not come so far is removed.
    """
    rotation = read_rotation(folder)
    if not (folder / ROTATED).exists():
        return rotation
    (folder / ROTATION).unlink(missing_ok=True)
    sync_directory(folder)
    _remove(folder / ROTATED)
    return None


def finished(folder: Path) -> None:
    """The directory knows the new slots: forget the handover. Raises OSError."""
    (folder / ROTATION).unlink(missing_ok=True)
    sync_directory(folder)


def _remove(copy: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        copy.with_name(f"{copy.name}{suffix}").unlink(missing_ok=True)


def _keep_incoming_key(connection: apsw.Connection, key: DataKey) -> None:
    """Mail that was sealed before, and comes late, must still be opened."""
    rows = select(connection, "SELECT value FROM setting WHERE name = ?", (FORMER_KEYS,))
    private = derive_key(key.raw(), "incoming")
    kept: list[bytes] = msgspec.msgpack.decode(rows[0][0], type=list[bytes]) if rows else []
    kept = [private, *(one for one in kept if one != private)]
    connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (FORMER_KEYS, msgspec.msgpack.encode(kept)))


def _counts(connection: apsw.Connection) -> list[tuple[int, ...]]:
    tables = ("folder", "entry", "message", "content", "blob", "chunk", "expunged")
    return select(connection, "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))


def _verify(copy: Path, key: DataKey, cipher: str, busy: float, before: list[tuple[int, ...]]) -> None:
    connection = open_connection(copy, key, cipher, busy, apsw.Connection)
    try:
        problems = select(connection, "PRAGMA integrity_check")
        if problems != [("ok",)] or _counts(connection) != before:
            raise MailboxDamagedError(detail=f"the copy under the new key is not whole: {problems[:3]}")
    except apsw.Error as error:
        raise translated(error) from error
    finally:
        connection.close()
