"""The files of imports and exports: sealed to the mailbox they are of, so that only what opens it reads them."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mailstead.foundation.crypto.seal import seal_stream
from mailstead.stores.mailbox.files import sync_directory

_PIECE = 256 * 1024
_PART = ".part"
_YOUNG = 86400.0  # what is this young may be of a job that is being made


class TransferFiles:
    """The files below one folder, by the ids of their jobs. Methods raise OSError, and run on threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, identifier: str) -> Path:
        """Where the file of a job is."""
        return self._folder / identifier

    def write(self, identifier: str, public_key: bytes, chunks: Iterable[bytes], check: Callable[[], None]) -> int:
        """Write a job's file durably, whole or not at all; how many octets went in. `check` may raise, to stop."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                check()
                yield chunk

        part = self.path(identifier + _PART)
        try:
            with part.open("wb") as file:
                part.chmod(0o600)
                file.writelines(seal_stream(public_key, counted()))
                file.flush()
                os.fsync(file.fileno())
            part.rename(self.path(identifier))
        finally:
            part.unlink(missing_ok=True)
        sync_directory(self._folder)
        return size

    def chunks(self, identifier: str) -> Iterator[bytes]:
        """The sealed octets of a job's file."""
        with self.path(identifier).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def remove(self, identifier: str) -> None:
        """Remove the file of a job, if there is one."""
        self.path(identifier).unlink(missing_ok=True)

    def sweep(self, kept: frozenset[str], now: float) -> int:
        """Remove the files of jobs that are not `kept`; how many."""
        count = 0
        for path in sorted(self._folder.glob("*")):
            if path.name.removesuffix(_PART) not in kept and now - path.stat().st_mtime > _YOUNG:
                path.unlink(missing_ok=True)
                count += 1
        return count
