"""Strings, flags, dates, FETCH items and search keys."""

import calendar
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.dates import date, date_time, internal_date
from mailstead.protocols.imap.grammar.fetch import fetch_items
from mailstead.protocols.imap.grammar.flags import Flags, flag_list, store_flags
from mailstead.protocols.imap.grammar.reader import Literal
from mailstead.protocols.imap.grammar.search import Age, All, Either, Keys, Messages, Opposite
from mailstead.stores.mailbox.search import criteria as c


def test_strings() -> None:
    cursor = Cursor(b'atom] "a \\"q\\" \\\\" \0000\0 NIL', (Literal(b"lit\r\n"),))
    assert cursor.astring() == b"atom]"
    cursor.space()
    assert cursor.astring() == b'a "q" \\'
    cursor.space()
    assert cursor.nstring() == b"lit\r\n"
    cursor.space()
    assert cursor.nstring() is None
    cursor.end()


@pytest.mark.parametrize("text", [b'"a', b"(", b"", b'"a\\b"', b"a%"])
def test_what_is_no_string_is_refused(text: bytes) -> None:
    cursor = Cursor(text)
    with pytest.raises(CommandError):
        cursor.end() if cursor.astring() else None


def test_flags() -> None:
    assert flag_list(Cursor(b"(\\Seen \\deleted $Work \\Recent)")) == Flags(9, ("$Work",))
    assert flag_list(Cursor(b"()")) == Flags()
    assert store_flags(Cursor(b"\\Flagged a")) == Flags(4, ("a",))
    for text in (b"(\\Odd)", b"(a b", b"(a(", b"(\\Seen\\Draft)", b"(\\*)"):
        with pytest.raises(CommandError):
            store_flags(Cursor(text))


def test_dates() -> None:
    assert date(Cursor(b"1-Feb-1994")) == calendar.timegm((1994, 2, 1, 0, 0, 0))
    assert date(Cursor(b'"29-feb-2024"')) == calendar.timegm((2024, 2, 29, 0, 0, 0))
    moment = calendar.timegm((2026, 11, 23, 18, 33, 5))
    assert date_time(Cursor(b'"23-Nov-2026 20:33:05 +0200"')) == moment
    assert date_time(Cursor(b'" 1-Jan-1970 00:00:00 +0000"')) == 0
    for text in (b"30-Feb-2024", b"1-Foo-2024", b"1-Jan-24", b'"1-Jan-2024', b"0-Jan-2024"):
        with pytest.raises(CommandError):
            date(Cursor(text))
    for text in (b'"23-Nov-2026 25:00:00 +0000"', b'"23-Nov-2026"', b"23-Nov-2026"):
        with pytest.raises(CommandError):
            date_time(Cursor(text))


@given(st.integers(-(10**10), 2 * 10**11))
def test_internal_dates_are_as_the_calendar_says(moment: int) -> None:
    expected = datetime.fromtimestamp(moment, UTC)
    text = internal_date(moment)
    assert text == f"{expected:%d-%b-}{expected.year:04}{expected: %H:%M:%S} +0000".encode()
    assert date_time(Cursor(b'"%b"' % text)) == moment


def test_fetch_items() -> None:
    assert fetch_items(Cursor(b"fast")).plain == ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
    found = fetch_items(
        Cursor(b'(UID UID BODY.PEEK[1.2.header.fields.not (From "T o")]<0.10> BODY[] binary.size[2] RFC822.TEXT)')
    )
    assert found.plain == ("UID",)
    assert [section.label for section in found.sections] == [
        b'BODY[1.2.HEADER.FIELDS.NOT (From "T o")]<0>',
        b"BODY[]",
        b"BINARY.SIZE[2]",
        b"RFC822.TEXT",
    ]
    first = found.sections[0]
    assert (first.path, first.kind, first.negate, first.start, first.size) == ("1.2", "HEADER", True, 0, 10)
    assert first.fields == frozenset({b"from", b"t o"})
    assert found.sets_seen
    assert not fetch_items(Cursor(b"BODY.PEEK[HEADER]")).sets_seen
    for text in (
        b"()",
        b"BODY[",
        b"BODY[MIME]",
        b"BODY[1.]",
        b"BODY[]<1>",
        b"BODY[]<1.0>",
        b"X",
        b"(FAST)",
        b"BODY[0]",
    ):
        cursor = Cursor(text)
        with pytest.raises(CommandError):
            cursor.end() if fetch_items(cursor) else None


def keys(text: bytes) -> object:
    return Keys(Cursor(text)).program().key


def test_search_keys() -> None:
    assert keys(b"ALL") == c.All()
    found = keys(b'OR (FROM "a b" 2:4) NOT UNSEEN')
    assert isinstance(found, Either)
    assert isinstance(found.left, All)
    assert found.left.keys[0] == c.Field("from", "a b")
    assert isinstance(found.left.keys[1], Messages)
    assert found.right == Opposite(Opposite(c.FlagIs(1)))
    assert keys(b"OLDER 60") == Age(60, True)
    assert keys(b"ON 1-Jan-1970") == c.Date("internal", since=0, before=86400)
    for text in (b"", b"FROM", b"NOT", b"OR ALL", b"(ALL", b"FOO", b"UID", b"LARGER x", b"YOUNGER 0"):
        with pytest.raises(CommandError):
            keys(text)


def test_search_keys_are_limited() -> None:
    for text in (b"NOT " * 400 + b"ALL", b"ALL " * 501 + b"ALL"):
        with pytest.raises(NoError):
            keys(text)
    with pytest.raises(CommandError):
        keys(b"(" * 100 + b"ALL" + b")" * 100)


@given(st.binary(max_size=80))
def test_no_text_raises_anything_else(text: bytes) -> None:
    for read in (fetch_items, flag_list, date, date_time, lambda cursor: Keys(cursor).program()):
        try:
            read(Cursor(text.replace(b"\0", b"")))
        except (CommandError, NoError):
            continue
