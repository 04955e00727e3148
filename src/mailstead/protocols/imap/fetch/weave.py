"""Response lines from columns: values of one kind for many messages are woven together without an object per message.

Most of what a long FETCH costs in Python is writing numbers; small ones come from tables that all sessions share.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

_TABLE = 1 << 16


@lru_cache(maxsize=8)
def _numerals(size: int) -> list[bytes]:
    return [b"%d" % number for number in range(size)]


@lru_cache(maxsize=8)
def _heads(size: int) -> list[bytes]:
    return [b"* %d FETCH (" % number for number in range(size)]


def _size(most: int) -> int:
    """Tables double, so that there are few of them."""
    return 1 << max(most.bit_length(), 6)


def numerals(numbers: Sequence[int], most: int) -> Iterable[bytes]:
    """Each number in digits; `most` is the largest of them."""
    if most < _TABLE:
        return map(_numerals(_size(most)).__getitem__, numbers)
    return [b"%d" % number for number in numbers]


def heads(low: int, high: int) -> Sequence[bytes]:
    """`* n FETCH (` for the messages at the indexes from `low` to `high`."""
    if high < _TABLE:
        return _heads(_size(high))[low + 1 : high + 1]
    return [b"* %d FETCH (" % number for number in range(low + 1, high + 1)]


def weave(columns: Sequence[Iterable[bytes]]) -> bytes:
    """The first of each column, the second of each, and so on; columns are as long as the shortest."""
    return b"".join(chain.from_iterable(zip(*columns, strict=False)))
