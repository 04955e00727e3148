"""The files of a mailbox's folder, and how they are replaced so that a crash leaves the old or the new.

mailbox.db (-wal, -shm)            the mailbox
mailbox.db.damaged-<time>          one that was set aside; while there is no other, the mailbox stays closed
mailbox.db.rotated                 a copy under the next key, not in place yet
rotation.json                      the next key, wrapped under the one before, until the directory knows it
rotation.lock                      locked while a process wants to be alone with the mailbox
keyring.json                       the slots, as the directory has them
incoming/<ulid>.sealed             mail that came while no key was at hand
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.slot import Slot
from mailstead.foundation.identifiers import new_ulid

FILE = "mailbox.db"
ROTATED = "mailbox.db.rotated"
ROTATION = "rotation.json"
ROTATION_LOCK = "rotation.lock"
KEYRING = "keyring.json"
_SET_ASIDE = "mailbox.db.damaged-"
_NONCE_SIZE = 12


class Rotation(msgspec.Struct, frozen=True):
    """A rotation under way: the next key under the one before, and the slots that hold the next one."""

    handover: bytes
    slots: tuple[Slot, ...]
    public_key: bytes


def sync_directory(folder: Path) -> None:
    """Make names durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make content durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 durably and at once: whoever reads finds the old or the new. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{new_ulid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_directory(path.parent)


def is_set_aside(folder: Path) -> bool:
    """Whether a damaged file was set aside there."""
    return next(folder.glob(f"{_SET_ASIDE}*"), None) is not None


def set_aside(folder: Path, stamp: str) -> Path:
    """Rename the file and what belongs to it; `stamp` tells when. Nobody may have it open. Raises OSError."""
    target = folder / f"{_SET_ASIDE}{stamp}"
    for suffix in ("-wal", "-shm", ""):
        source = folder / f"{FILE}{suffix}"
        if source.exists():
            source.rename(target.with_name(f"{target.name}{suffix}"))
    sync_directory(folder)
    return target


def try_lock(descriptor: int, kind: int) -> bool:
    """Take a lock (fcntl.LOCK_SH or LOCK_EX) if that can be had at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def must_let_go(folder: Path) -> bool:
    """Whether a process wants to be alone with the mailbox. What a dead one left behind is removed."""
    path = f"{folder}/{ROTATION_LOCK}"
    if not os.access(path, os.F_OK):  # asked after each use of a connection: a tenth of what a failed open costs
        return False
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not try_lock(descriptor, fcntl.LOCK_EX):
            return True
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 no Path was needed so far
        return False
    finally:
        os.close(descriptor)


def hand_over(key: DataKey, following: DataKey) -> bytes:
    """The following key wrapped under the key before it."""
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(derive_key(key.raw(), "rotation")).encrypt(nonce, following.raw(), None)


def take_over(key: DataKey, handover: bytes) -> DataKey | None:
    """The following key; None when `key` is not the one before it."""
    try:
        raw = AESGCM(derive_key(key.raw(), "rotation")).decrypt(handover[:_NONCE_SIZE], handover[_NONCE_SIZE:], None)
    except InvalidTag:
        return None
    return DataKey(raw)


def read_rotation(folder: Path) -> Rotation | None:
    """The rotation under way there."""
    try:
        return msgspec.json.decode((folder / ROTATION).read_bytes(), type=Rotation)
    except FileNotFoundError:
        return None


def handed_over(folder: Path, key: DataKey) -> DataKey | None:
    """The key that followed `key` in a rotation that was cut off; None when there was none."""
    rotation = read_rotation(folder)
    return None if rotation is None else take_over(key, rotation.handover)
