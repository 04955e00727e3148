"""The queue's message files: encrypted, named by queue id, synced before anything names them.

The folder has an id of its own. Each consignment carries it, so that workers take only what they have the file of, and
a worker that starts knows which claims were its predecessor's: one process at a time works a folder.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mailstead.formats.message.header import header_end
from mailstead.foundation.crypto.at_rest import decrypt_stream, encrypt_stream
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool

T = TypeVar("T")
HEADER_LIMIT = 1024 * 1024
_CHUNK = 256 * 1024
_WRITERS = 8  # files written and synced at the same time
_SUFFIX = ".eml"
_ID_FILE = "id"


class QueuedMessage:
    """One message file that is open: it can be read to its end, and again, even when the queue forgets it meanwhile."""

    def __init__(self, path: Path, key: bytes, size: int) -> None:
        """Raises FileNotFoundError, OSError."""
        self._file = path.open("rb", buffering=0)
        self._key = key
        self._associated = path.stem.encode()
        self.size = size
        self._is_ascii: bool | None = None

    def chunks(self) -> Iterator[bytes]:
        """The message from its start, in pieces. Raises SealError, OSError."""
        return decrypt_stream(self._key, self._pieces(), self._associated)

    def _pieces(self) -> Iterator[bytes]:
        offset = 0
        while piece := os.pread(self._file.fileno(), _CHUNK, offset):
            offset += len(piece)
            yield piece

    def header(self) -> bytes:
        """The header with its empty line; of a header longer than 1 MiB that much."""
        held = b""
        for chunk in self.chunks():
            held += chunk
            end = header_end(held, 0, len(held))
            if end < len(held) or len(held) >= HEADER_LIMIT:
                return held[: min(end, HEADER_LIMIT)]
        return held[: header_end(held, 0, len(held))]

    def beginning(self, limit: int) -> bytes:
        """At most the first `limit` octets."""
        held = b""
        for chunk in self.chunks():
            held += chunk
            if len(held) >= limit:
                break
        return held[:limit]

    @property
    def is_ascii(self) -> bool:
        """Whether no octet of it is above 127; reads the whole message the first time."""
        if self._is_ascii is None:
            self._is_ascii = all(chunk.isascii() for chunk in self.chunks())
        return self._is_ascii

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> "QueuedMessage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class QueueFiles:
    """The files of one folder; writing and syncing happens on threads of its own."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._key = key
        self._pool = ThreadPoolExecutor(_WRITERS, thread_name_prefix="queue-files")
        self.id = ""

    def open(self) -> None:
        """Make the folder and its id where they lack. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / _ID_FILE
        if not path.exists():
            temporary = self.folder / f".{_ID_FILE}.{os.getpid()}"
            with temporary.open("w") as file:
                file.write(new_ulid())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)  # never replaces what another process made first
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
            self._sync_folder()
        self.id = path.read_text()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def path(self, queue_id: str) -> Path:
        """The message's file."""
        return self.folder / f"{queue_id}{_SUFFIX}"

    async def write(self, queue_id: str, message: Spool) -> None:
        """Keep a message; durable when this returns. Writing the same again changes nothing. Raises OSError."""
        await self.run(lambda: self._write(queue_id, message))

    def _write(self, queue_id: str, message: Spool) -> None:
        path = self.path(queue_id)
        temporary = self.folder / f".{new_ulid()}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in encrypt_stream(self._key, message.chunks(), queue_id.encode()):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, queue_id: str, size: int) -> QueuedMessage:
        """The message, opened. Raises FileNotFoundError, OSError."""
        return QueuedMessage(self.path(queue_id), self._key, size)

    def remove(self, queue_id: str) -> None:
        """Forget a message."""
        self.path(queue_id).unlink(missing_ok=True)

    def older_than(self, seconds: float) -> dict[str, list[Path]]:
        """Files that were written that long ago, by queue id; unfinished ones under ""."""
        found: dict[str, list[Path]] = {}
        latest = time.time() - seconds
        with os.scandir(self.folder) as entries:
            for entry in entries:
                unfinished = entry.name.startswith(".")
                if not unfinished and not entry.name.endswith(_SUFFIX):
                    continue
                try:
                    written = entry.stat().st_mtime
                except FileNotFoundError:
                    continue  # finished or delivered since
                if written < latest:
                    name = "" if unfinished else entry.name.removesuffix(_SUFFIX)
                    found.setdefault(name, []).append(Path(entry.path))
        return found
