"""What the server has learned: counts of features in one file of fixed size, shared by all processes of the host.

Header (64 octets): magic, version, bits, junk messages, good messages. Then 2 ** bits pairs of 32-bit counts, junk and
good, for the lowest bits of a feature. The file is mapped, so that reading costs nothing; who writes holds a lock on it
and syncs before letting go. A crash between two counts leaves them one apart, which changes no verdict.
"""

import fcntl
import mmap
import os
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mailstead.foundation.errors import TemporaryError
from mailstead.mail.screening.junk.evidence import Likelihood, likelihood

_MAGIC = b"MSJUNK1\n"
_HEADER = struct.Struct("<8sIIII")
_HEADER_SIZE = 64
_PAIR = struct.Struct("=II")
_BITS = 18
_JUNK, _GOOD = 4, 5  # places of the totals in the mapped 32-bit numbers
_MOST = 2**30


class ModelDamagedError(TemporaryError):
    """The file is not of the form that is written here."""

    public_text = "The junk model cannot be read"


class JunkModel:
    """The server's model in `file`, which is made when it is not there. Raises ModelDamagedError, OSError."""

    def __init__(self, file: Path) -> None:
        self._file = file
        descriptor = _open(file)
        try:
            size = _HEADER_SIZE + (8 << _BITS)
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        if self._map[: len(_MAGIC)] != _MAGIC or self._map[8:16] != struct.pack("<II", 1, _BITS):
            self._map.close()
            raise ModelDamagedError(detail=str(file))
        self._numbers = memoryview(self._map).cast("I")
        self._pairs = memoryview(self._map).cast("Q")  # both counts of a feature at once
        self._mask = (1 << _BITS) - 1

    @property
    def messages(self) -> tuple[int, int]:
        """How many junk and good messages were learned."""
        return self._numbers[_JUNK], self._numbers[_GOOD]

    def likelihood(self, features: Sequence[int]) -> Likelihood:
        """How likely a message with `features` is junk."""
        pairs, mask = self._pairs, self._mask
        found = Counter([pair for feature in features if (pair := pairs[8 + (feature & mask)])])
        counts = {_PAIR.unpack(pair.to_bytes(_PAIR.size, sys.byteorder)): times for pair, times in found.items()}
        return likelihood(counts, self._numbers[_JUNK], self._numbers[_GOOD], len(features))

    def learn(self, features: Iterable[int], *, junk: bool, forget: bool = False) -> None:
        """Count a message, or take one back that was counted; durable when this returns. Raises OSError."""
        step = -1 if forget else 1
        with self._file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            numbers, side = self._numbers, 0 if junk else 1
            for feature in features:
                place = 16 + 2 * (feature & self._mask) + side
                numbers[place] = min(max(numbers[place] + step, 0), _MOST)
            total = _JUNK + side
            numbers[total] = min(max(numbers[total] + step, 0), _MOST)
            self._map.flush()

    def forget_all(self) -> None:
        """Begin anew; durable when this returns."""
        with self._file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._map[16:] = bytes(len(self._map) - 16)
            self._map.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._numbers.release()
        self._pairs.release()
        self._map.close()


def _open(file: Path) -> int:
    """A descriptor of the file, made whole under another name first so that nobody meets half of one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        made = file.with_suffix(f".{os.getpid()}.new")
        with made.open("xb") as new:
            new.truncate(_HEADER_SIZE + (8 << _BITS))
            new.write(_HEADER.pack(_MAGIC, 1, _BITS, 0, 0))
            new.flush()
            os.fsync(new.fileno())
        try:
            os.link(made, file)  # fails when another process was first: its file is the one
        except FileExistsError:
            pass
        finally:
            made.unlink()
    descriptor = os.open(file, os.O_RDWR)
    if os.fstat(descriptor).st_size != _HEADER_SIZE + (8 << _BITS):
        os.close(descriptor)
        raise ModelDamagedError(detail=str(file))
    return descriptor
