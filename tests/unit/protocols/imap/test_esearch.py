"""ESEARCH: what is asked for, what is told, what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.esearch import Returns, esearch, search_returns
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.sequence import partial_range


def returns(text: bytes) -> Returns:
    return search_returns(Cursor(b"RETURN " + text + b" ALL"))


@pytest.mark.parametrize(
    ("text", "numbers", "line"),
    [
        (b"()", [2, 10, 11], b'* ESEARCH (TAG "a") ALL 2,10:11'),
        (b"(MIN COUNT)", [2, 10, 11], b'* ESEARCH (TAG "a") MIN 2 COUNT 3'),
        (b"(MIN MAX ALL)", [], b'* ESEARCH (TAG "a")'),
        (b"(COUNT)", [], b'* ESEARCH (TAG "a") COUNT 0'),
        (b"(PARTIAL 2:3)", [4, 5, 9, 12], b'* ESEARCH (TAG "a") PARTIAL (2:3 5,9)'),
        (b"(PARTIAL -1:-2)", [4, 5, 9, 12], b'* ESEARCH (TAG "a") PARTIAL (-1:-2 9,12)'),
        (b"(PARTIAL 9:11)", [4], b'* ESEARCH (TAG "a") PARTIAL (9:11 NIL)'),
    ],
)
def test_responses(text: bytes, numbers: list[int], line: bytes) -> None:
    assert esearch("a", returns(text), numbers, by_uid=False) == line + b"\r\n"


def test_uids_and_modseq_are_told() -> None:
    found = esearch("t", returns(b"(MAX)"), [7, 9], by_uid=True, modseq=55)
    assert found == b'* ESEARCH (TAG "t") UID MAX 9 MODSEQ 55\r\n'


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"(SAVE)", [3, 5, 8]),
        (b"(SAVE MIN)", [3]),
        (b"(SAVE MAX)", [8]),
        (b"(SAVE MIN MAX)", [3, 8]),
        (b"(SAVE MIN COUNT)", [3, 5, 8]),
        (b"(SAVE PARTIAL 2:2)", [5]),
    ],
)
def test_what_is_kept_is_as_the_table_says(text: bytes, kept: list[int]) -> None:
    assert sorted(returns(text).kept([3, 5, 8])) == kept


def test_save_alone_is_silent_and_an_empty_result_keeps_nothing() -> None:
    assert returns(b"(SAVE)").is_silent
    assert not returns(b"(SAVE COUNT)").is_silent
    assert list(returns(b"(SAVE MIN MAX)").kept([])) == []


@pytest.mark.parametrize(
    "text", [b"(FOO)", b"(ALL PARTIAL 1:2)", b"(PARTIAL)", b"(PARTIAL 0:1)", b"(PARTIAL 1:-2)", b"("]
)
def test_bad_options_are_refused(text: bytes) -> None:
    with pytest.raises(CommandError):
        returns(text)


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.integers(0, 20))
def test_partial_ranges_count_from_either_end(first: int, last: int, backward: bool, count: int) -> None:
    sign = b"-" if backward else b""
    low, high = partial_range(Cursor(b"%b%d:%b%d" % (sign, first, sign, last))).slice(count)
    wanted = range(min(first, last), max(first, last) + 1)
    results = list(range(1, count + 1))
    counted = results[::-1] if backward else results
    assert results[low:high] == sorted(counted[place - 1] for place in wanted if place <= count)
