"""Sequence sets (RFC 9051 §9): `1:3,5,*`, `$`; partial ranges.

sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command
seq-number = nz-number / "*";  seq-range = seq-number ":" seq-number;  seq-last-command = "$"
"""

import re
from collections.abc import Iterable

import msgspec

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import NUMBER_MOST, Cursor
from mailstead.stores.mailbox.records import Ranges

_SET = re.compile(rb"[\d*:,]+")
_RANGE = re.compile(rb"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")
RANGES_LIMIT = 20_000


class SequenceSet(msgspec.Struct, frozen=True):
    """Pairs as they were written, 0 standing for `*`; `saved` for `$`."""

    pairs: tuple[tuple[int, int], ...]
    saved: bool = False

    def resolve(self, largest: int) -> Ranges:
        """Merged ascending ranges, `*` being `largest`."""
        return merge((first or largest, last or largest) for first, last in self.pairs)


class PartialRange(msgspec.Struct, frozen=True):
    """Results from the `first` to the `last`, counted from 1; from the end where `backward`."""

    first: int
    last: int
    backward: bool

    def slice(self, count: int) -> tuple[int, int]:
        """Half-open indexes into `count` ascending results."""
        low, high = self.first - 1, min(self.last, count)
        if self.backward:
            low, high = count - high, count - low
        return (low, high) if 0 <= low < high else (0, 0)

    def text(self) -> bytes:
        """As it is written."""
        return (b"-%d:-%d" if self.backward else b"%d:%d") % (self.first, self.last)


_PARTIAL_RANGE = re.compile(rb"(-?)(\d{1,10}):(-?)(\d{1,10})(?=[ )]|\Z)")


def partial_range(cursor: Cursor) -> PartialRange:
    """partial-range = nz-number ":" nz-number / "-" nz-number ":" "-" nz-number (RFC 9394 §4)"""
    found = _PARTIAL_RANGE.match(cursor.text, cursor.place)
    if found is None or found[1] != found[3]:
        raise CommandError("Bad partial range")
    first, last = sorted((int(found[2]), int(found[4])))
    if not 1 <= first <= last <= NUMBER_MOST:
        raise CommandError("Bad partial range")
    cursor.place = found.end()
    return PartialRange(first, last, bool(found[1]))


SAVED = SequenceSet((), saved=True)


def sequence_set(cursor: Cursor) -> SequenceSet:
    """sequence-set"""
    if cursor.take(b"$"):
        return SAVED
    found = _SET.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("A sequence set is wanted")
    cursor.place = found.end()
    return parse_set(found[0])


def parse_set(text: bytes) -> SequenceSet:
    """A set from its text. Raises CommandError."""
    parts = text.split(b",")
    if len(parts) > RANGES_LIMIT:
        raise CommandError("Too many ranges")
    return SequenceSet(tuple(map(_pair, parts)))


def _pair(part: bytes) -> tuple[int, int]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise CommandError("Bad sequence set")
    first = _number(found[1])
    return first, first if found[2] is None else _number(found[2])


def _number(text: bytes) -> int:
    if text == b"*":
        return 0
    value = int(text)
    if not 1 <= value <= NUMBER_MOST:
        raise CommandError("Bad sequence set")
    return value


def is_sequence(cursor: Cursor) -> bool:
    """Whether a sequence set comes next."""
    return cursor.text[cursor.place : cursor.place + 1] in _STARTS


_STARTS = frozenset({b"*", b"$", *(b"%d" % digit for digit in range(10))})


def merge(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Ascending ranges without overlap from pairs in any order."""
    ordered = sorted((first, last) if first <= last else (last, first) for first, last in pairs)
    merged: Ranges = []
    for first, last in ordered:
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


def to_ranges(numbers: Iterable[int]) -> Ranges:
    """Ranges of ascending numbers."""
    ranges: Ranges = []
    start = previous = -1
    for number in numbers:
        if number != previous + 1 or previous < 0:
            if previous >= 0:
                ranges.append((start, previous))
            start = number
        previous = number
    if previous >= 0:
        ranges.append((start, previous))
    return ranges


def intersect(one: Ranges, other: Ranges) -> Ranges:
    """What is in both of two lists of ascending ranges."""
    found: Ranges = []
    left = right = 0
    while left < len(one) and right < len(other):
        first = max(one[left][0], other[right][0])
        last = min(one[left][1], other[right][1])
        if first <= last:
            found.append((first, last))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return found


def without(one: Ranges, other: Ranges) -> Ranges:
    """What is in the first but not in the second list of ascending ranges."""
    found: Ranges = []
    right = 0
    for first, last in one:
        while right < len(other) and other[right][1] < first:
            right += 1
        place = right
        while place < len(other) and other[place][0] <= last:
            if other[place][0] > first:
                found.append((first, other[place][0] - 1))
            first = other[place][1] + 1
            place += 1
        if first <= last:
            found.append((first, last))
    return found


def format_ranges(ranges: Ranges) -> bytes:
    """Ranges as a set."""
    return b",".join([b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in ranges])


def format_sequence(numbers: Iterable[int]) -> bytes:
    """Numbers as a set, their order kept (for COPYUID they need not ascend)."""
    return format_ranges(to_ranges(numbers))
