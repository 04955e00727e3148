"""Sequence sets (RFC 9051 §9): `1:3,5,*`."""

import re

from mailstead.protocols.imap.parser import CommandError
from mailstead.stores.mailbox.records import Ranges

_RANGE = re.compile(r"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")
_LIMIT = 20_000


def parse_sequence(text: str, largest: int) -> Ranges:
    """Merged ascending ranges; `*` is `largest`. Raises CommandError."""
    ranges: Ranges = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        if found is None or len(ranges) > _LIMIT:
            raise CommandError("Bad sequence set")
        first = largest if found[1] == "*" else int(found[1])
        last = first if found[2] is None else largest if found[2] == "*" else int(found[2])
        if min(first, last) < 1 and "*" not in part:
            raise CommandError("Bad sequence set")
        ranges.append((min(first, last), max(first, last)))
    ranges.sort()
    merged: Ranges = []
    for first, last in ranges:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def format_sequence(numbers: list[int]) -> str:
    """Ascending numbers as a set."""
    pieces: list[str] = []
    start = previous = -1
    for number in [*numbers, -1]:
        if number == previous + 1 and previous > 0:
            previous = number
            continue
        if previous > 0:
            pieces.append(str(start) if start == previous else f"{start}:{previous}")
        start = previous = number
    return ",".join(pieces)
