"""What was counted and is not in the documents yet, in a file: a process that is killed loses no result.

A line is a row that comes for the first time (a JSON array: day, kind, domain, row), or `=N`, one more of the file's
row N. A line is written before the mail it is about is answered; the kernel has it then, so that only a machine that
loses power loses the lines of the last seconds. The file's name and a row's number make the row's id in the documents:
what is kept twice is kept once. A file is locked as long as the process that writes it lives.
"""

import fcntl
import os
from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from mailstead.foundation.identifiers import new_ulid

Kind = Literal["dmarc", "tls"]
Key: TypeAlias = tuple[str, Kind, str, bytes]  # day, kind, domain, row
SUFFIX = ".rows"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, Kind, str, str]).decode


class Journal:
    """One file, begun with its first row. Methods raise OSError."""

    def __init__(self, directory: Path) -> None:
        self.name = new_ulid()
        self._path = directory / f"{self.name}{SUFFIX}"
        self._file: int | None = None
        self._numbers: dict[Key, int] = {}

    def write(self, key: Key) -> None:
        """One result more."""
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        number = self._numbers.get(key)
        if number is None:
            day, kind, domain, row = key
            line = _encode((day, kind, domain, row.decode()))
            self._numbers[key] = len(self._numbers)
        else:
            line = b"=%d" % number
        os.write(self._file, line + b"\n")

    def remove(self) -> None:
        """Everything in it is kept elsewhere."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave the file to the next process."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class LeftJournal:
    """A file whose process ended; locked, so that nobody else takes it. Close it."""

    def __init__(self, path: Path, file: int) -> None:
        self.name = path.stem
        self._path = path
        self._file = file

    def counts(self) -> Counter[Key]:
        """The rows in order, each with its count; a line that was cut off is nothing. Raises OSError."""
        counts: Counter[Key] = Counter()
        keys: list[Key] = []
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                key = _key(line, keys)
                if key is not None:
                    counts[key] += 1
        return counts

    def remove(self) -> None:
        """Everything in it is kept elsewhere."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Unlock it."""
        os.close(self._file)


def _key(line: bytes, keys: list[Key]) -> Key | None:
    if line.startswith(b"="):
        digits = line[1:-1]
        number = int(digits) if digits.isdigit() and len(digits) < 10 else len(keys)
        return keys[number] if number < len(keys) else None
    try:
        day, kind, domain, row = _decode(line)
    except msgspec.DecodeError:
        return None
    keys.append((day, kind, domain, row.encode()))
    return keys[-1]


def left_journals(directory: Path) -> list[LeftJournal]:
    """The files of processes that ended, oldest first, each locked for the caller. Raises OSError."""
    found = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another process took it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        if not path.exists():
            os.close(file)  # kept and removed between the two
            continue
        found.append(LeftJournal(path, file))
    return found
