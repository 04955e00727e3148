"""The bytes of one message on their way in: in memory up to a threshold, then in an unnamed temporary file."""

import io
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

CHUNK_SIZE = 256 * 1024


class Spool:
    """Collects a message of `size` bytes; appending is not thread-safe, reading what was appended is.

    `threshold` is how many bytes stay in memory; past it all go to a temporary file in `directory` that has no name
    and vanishes with the process.
    """

    __slots__ = ("_directory", "_file", "_head", "_origin", "_pieces", "_skip", "_threshold", "size")

    def __init__(self, threshold: int, directory: Path) -> None:
        self._threshold = threshold
        self._directory = directory
        self._head: list[bytes] = []
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._origin: Spool | None = None
        self._skip = 0
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add `data` at the end. Raises OSError when the disk refuses."""
        assert self._origin is None, "a spool made by replaced() is complete"
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

    def replaced(self, count: int, data: bytes) -> "Spool":
        """A spool that reads as this one with its first `count` bytes replaced by `data`.

        The bytes are shared, not copied: this spool must stay open and unchanged while the other is read. Closing the
        other leaves this one as it is. Raises ValueError when `count` is more than `size`.
        """
        if count > self.size:
            raise ValueError(f"{count} of {self.size} bytes")
        other = Spool(self._threshold, self._directory)
        other._origin = self
        other._skip = count
        other._head = [data] if data else []
        other.size = self.size - count + len(data)
        return other

    def read(self) -> bytes:
        """All bytes at once."""
        if self._file is None and self._origin is None:
            return b"".join([*self._head, *self._pieces])
        return b"".join(self.chunks())

    def octets(self) -> bytes | mmap.mmap:
        """All bytes at once: a small message as bytes, a large one as a map of its file, which costs no memory.

        The map stays good when the spool is closed. Raises OSError.
        """
        if self.size <= self._threshold:
            return self.read()
        if self._file is not None and not self._head:
            self._file.flush()
            return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        with tempfile.TemporaryFile(dir=self._directory) as whole:
            whole.writelines(self.chunks())
            whole.flush()
            return mmap.mmap(whole.fileno(), 0, access=mmap.ACCESS_READ)

    def file(self) -> IO[bytes]:
        """All bytes as a file to be read from its start; good until the spool is closed."""
        if self._file is None or self._head:
            return io.BytesIO(self.read())
        self._file.flush()
        self._file.seek(0)
        return self._file

    def start(self, count: int) -> bytes:
        """The first `count` bytes, fewer when the message is shorter."""
        pieces, size = [], 0
        for chunk in self.chunks(count):
            pieces.append(chunk)
            size += len(chunk)
            if size >= count:
                break
        return b"".join(pieces)[:count]

    def chunks(self, size: int = CHUNK_SIZE) -> Iterator[bytes]:
        """All bytes in order, in pieces of at most about `size` bytes."""
        yield from self._head
        if self._origin is not None:
            yield from _skipped(self._origin.chunks(size), self._skip)
            return
        if self._file is None:
            yield from self._pieces
            return
        self._file.flush()
        # Positional reads: several threads may read the same message at once.
        descriptor, offset = self._file.fileno(), 0
        while chunk := os.pread(descriptor, size, offset):
            offset += len(chunk)
            yield chunk

    def close(self) -> None:
        """Give the memory or the file back; the spool is empty afterwards."""
        self._head.clear()
        self._pieces.clear()
        self._origin = None
        self._skip = 0
        self.size = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _skipped(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        if count >= len(chunk):
            count -= len(chunk)
        elif count:
            yield chunk[count:]
            count = 0
        else:
            yield chunk
