"""Copies of a mailbox's file as it was at one moment, for backups: its very octets, so that what did not change between
two copies is the same in both.

With the key, nobody is disturbed: while a reader holds its place in the write-ahead log, and all before that place was
moved into the file, SQLite writes nothing to the file (sqlite.org/wal.html, "Checkpointing"). Without the key, the file
and its log are copied while nobody has them open (see rotation.alone).
"""

import os
import shutil
from pathlib import Path

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.errors import MailboxBusyError
from mailstead.stores.mailbox.files import FILE
from mailstead.stores.mailbox.handle import Handle

_ATTEMPTS = 200
_LOG = f"{FILE}-wal"


def capture_open(handle: Handle, target: Path) -> None:
    """Copy the file into the folder `target`. Raises MailboxBusyError when writers leave no gap, OSError."""
    with handle.stream() as reader, handle.stream() as other:
        for _ in range(_ATTEMPTS):
            _checkpointed(other)
            reader.execute("BEGIN")
            try:
                select(reader, "SELECT count(*) FROM sqlite_schema")  # from here on the reader has its place
                if _checkpointed(other):
                    _replace(handle.folder / FILE, target / FILE)
                    (target / _LOG).unlink(missing_ok=True)
                    return
            finally:
                reader.execute("ROLLBACK")
    raise MailboxBusyError(detail="too much is written to be copied")


def _checkpointed(connection: apsw.Connection) -> bool:
    """Move what can be moved from the log into the file; whether that was all of it."""
    _, frames, moved = select(connection, "PRAGMA wal_checkpoint(PASSIVE)")[0]
    return bool(frames == moved)


def capture_closed(folder: Path, target: Path) -> None:
    """Copy the file and its log, within `alone`. Raises OSError."""
    for name in (_LOG, FILE):
        if (folder / name).exists():
            _replace(folder / name, target / name)
        else:
            (target / name).unlink(missing_ok=True)


def _replace(source: Path, target: Path) -> None:
    """Copy a file as a whole; where the file system can, its blocks are shared."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.copying")
    with source.open("rb") as original, temporary.open("wb") as copy:
        size = os.fstat(original.fileno()).st_size
        copied = 0
        while copied < size:
            count = os.copy_file_range(original.fileno(), copy.fileno(), size - copied)
            if count == 0:
                break
            copied += count
    shutil.copystat(source, temporary)
    temporary.rename(target)
