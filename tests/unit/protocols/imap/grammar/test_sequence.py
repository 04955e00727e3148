"""Sequence sets."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.sequence import (
    SAVED,
    format_ranges,
    format_sequence,
    parse_set,
    sequence_set,
    to_ranges,
)

numbers = st.integers(1, 2**32 - 1)


def test_star_is_the_largest_and_ranges_go_either_way() -> None:
    assert parse_set(b"4:2,*,9:*").resolve(7) == [(2, 4), (7, 9)]
    assert parse_set(b"*:4").resolve(7) == [(4, 7)]
    assert parse_set(b"1:3,4,6").resolve(9) == [(1, 4), (6, 6)]
    assert sequence_set(Cursor(b"$ x")) is SAVED


@pytest.mark.parametrize("text", [b"", b"0", b"1:", b":1", b"1,,2", b"1:2:3", b"4294967296", b"0:*", b"1,"])
def test_bad_sets_are_refused(text: bytes) -> None:
    with pytest.raises(CommandError):
        parse_set(text)


@given(st.sets(numbers, min_size=1, max_size=200))
def test_sets_go_there_and_back(wanted: set[int]) -> None:
    text = format_sequence(sorted(wanted))
    assert {n for first, last in parse_set(text).resolve(1) for n in range(first, last + 1)} == wanted


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=50))
def test_resolved_ranges_ascend_without_touching(pairs: list[tuple[int, int]]) -> None:
    text = b",".join(b"%d:%d" % pair for pair in pairs)
    ranges = parse_set(text).resolve(5)
    assert all(first <= last for first, last in ranges)
    assert all(low[1] + 1 < high[0] for low, high in pairwise(ranges))
    assert all(any(low <= min(pair) and max(pair) <= high for low, high in ranges) for pair in pairs)
    assert parse_set(format_ranges(ranges)).resolve(5) == ranges


def test_an_order_that_is_not_ascending_is_kept() -> None:
    assert format_sequence([5, 6, 2, 3, 9]) == b"5:6,2:3,9"
    assert to_ranges([]) == []
