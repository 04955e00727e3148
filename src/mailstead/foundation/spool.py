"""The bytes of one message on their way in: in memory up to a threshold, then in an unnamed temporary file."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

CHUNK_SIZE = 256 * 1024


class Spool:
    """Collects a message of `size` bytes; not thread-safe.

    `threshold` is how many bytes stay in memory; past it all go to a temporary file in `directory` that has no name
    and vanishes with the process.
    """

    __slots__ = ("_directory", "_file", "_head", "_pieces", "_threshold", "size")

    def __init__(self, threshold: int, directory: Path) -> None:
        self._threshold = threshold
        self._directory = directory
        self._head: list[bytes] = []
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add `data` at the end. Raises OSError when the disk refuses."""
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        self._pieces.append(data)
        if self.size > self._threshold:
            file = tempfile.TemporaryFile(dir=self._directory, buffering=CHUNK_SIZE)  # noqa: SIM115 closed in close()
            file.writelines(self._pieces)
            self._pieces.clear()
            self._file = file

    def prepend(self, data: bytes) -> None:
        """Put `data` before everything held so far (a trace header field, say)."""
        self._head.insert(0, data)
        self.size += len(data)

    def read(self) -> bytes:
        """All bytes at once."""
        if self._file is None:
            return b"".join([*self._head, *self._pieces])
        return b"".join(self.chunks())

    def chunks(self, size: int = CHUNK_SIZE) -> Iterator[bytes]:
        """All bytes in order, in pieces of at most about `size` bytes."""
        yield from self._head
        if self._file is None:
            yield from self._pieces
            return
        self._file.flush()
        self._file.seek(0)
        while chunk := self._file.read(size):
            yield chunk

    def close(self) -> None:
        """Give the memory or the file back; the spool is empty afterwards."""
        self._head.clear()
        self._pieces.clear()
        self.size = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
