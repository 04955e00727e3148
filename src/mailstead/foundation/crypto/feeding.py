"""Hashing without letting go of the interpreter.

hashlib lets other threads run while it hashes 2,048 octets or more. Getting the interpreter back from one of them may
take milliseconds, hashing a message of usual size takes some ten microseconds.
"""

from typing import Protocol

_HELD = 2047
_SMALL = 64 * 1024


class Digest(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Hash `data`, too."""
        ...


def feed(digest: Digest, data: bytes | memoryview) -> None:
    """Hash `data`, too: in one go when it is long enough for others to run meanwhile."""
    if not _HELD < len(data) <= _SMALL:
        digest.update(data)
        return
    for start in range(0, len(data), _HELD):
        digest.update(data[start : start + _HELD])
