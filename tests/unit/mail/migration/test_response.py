"""What other servers send: however it is cut, whatever it is, never more than the bounds."""

from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.modified_utf7 import encode_utf7
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.spool import Spool
from mailstead.mail.migration.errors import MigrationError, plain
from mailstead.mail.migration.folder import Namespace, folder, local_name, namespace, with_uses_by_name
from mailstead.mail.migration.location import Location, parse_location
from mailstead.mail.migration.response import ResponseParser, Value, values

NOWHERE = Path("/nonexistent")


def parser(limit: int = 1000, body_limit: int = 2000) -> ResponseParser:
    return ResponseParser(limit, body_limit, lambda: Spool(10_000, NOWHERE))


def told(data: bytes, cuts: list[int] | None = None) -> list[list[Value]]:
    """The values of each response after `* `, bodies read, from data that arrives in pieces."""
    reading = parser()
    found = []
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or ())})
    for start, end in pairwise(places):
        reading.receive(data[start:end])
        while (response := reading.next_response()) is not None:
            found.append([_read(value) for value in values(response, 2)])
    return found


def _read(value: Value) -> Value:
    if isinstance(value, list):
        return [_read(one) for one in value]
    return value.read() if isinstance(value, Spool) else value


@given(st.lists(st.integers(0, 200), max_size=20))
def test_a_response_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    data = (
        b'* LIST (\\HasNoChildren) "/" {5}\r\na"b)(\r\n'
        b'* 1 FETCH (UID 7 FLAGS (\\Seen work) BODY[] {9}\r\n)\r\n* OK\r\n INTERNALDATE "x\\"y")\r\n* X NIL\r\n'
    )
    assert told(data, cuts) == [
        [b"LIST", [b"\\HasNoChildren"], b"/", b'a"b)('],
        [
            b"1",
            b"FETCH",
            [b"UID", b"7", b"FLAGS", [b"\\Seen", b"work"], b"BODY[]", b")\r\n* OK\r\n", b"INTERNALDATE", b'x"y'],
        ],
        [b"X", None],
    ]


@given(
    st.lists(st.sampled_from([b"* ", b"(", b")", b'"', b"{3}\r\n", b"BODY[] {2}\r\n", b"\r\n", b"x", b"\xff", b"\\"]))
)
def test_nothing_but_its_own_error_comes_of_any_octets(pieces: list[bytes]) -> None:
    with suppress(MigrationError):
        told(b"".join(pieces))


@pytest.mark.parametrize(
    "data",
    [
        b"* " + b"x" * 1001,
        b"* OK {1001}\r\n",
        b"* OK {9999999999999999999}\r\n",
        b"* 1 FETCH (BODY[] {2001}\r\n",
        b"* X {400}\r\n" + b"y" * 400 + b" {400}\r\n" + b"y" * 400 + b" {400}\r\n",
        b"* LIST " + b"(" * 30 + b"\r\n",
        b"* LIST )\r\n",
        b"* LIST (\r\n",
    ],
)
def test_bounds_hold_before_anything_is_kept(data: bytes) -> None:
    with pytest.raises(MigrationError):
        told(data)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/."), min_size=1))
def test_names_come_back_from_modified_utf7(level: str) -> None:
    wire = encode_utf7(level).encode()
    assert local_name(b"INBOX." + wire + b"." + wire, b".", b"INBOX.") == f"{level}/{level}"


def test_folders_have_their_uses_and_other_peoples_are_left_out() -> None:
    spaces = namespace([[[b"INBOX.", b"."]], [[b"user.", b"."]], None])
    assert spaces == Namespace(b"INBOX.", (b"user.",))
    found = folder([[b"\\Subscribed", b"\\Trash"], b".", b"INBOX.M&APw-ll"], spaces)
    assert found is not None
    assert (found.name, found.special_use, found.subscribed) == ("Müll", "\\Trash", True)
    assert folder([[], b".", b"user.bob"], spaces) is None
    assert folder([[b"\\NoSelect"], b".", b"INBOX.x"], spaces) is None
    named = folder([[], b".", b"INBOX.Sent Items"], spaces)
    assert named is not None
    assert [one.special_use for one in with_uses_by_name([named])] == ["\\Sent"]
    assert [one.special_use for one in with_uses_by_name([named, found])] == ["", "\\Trash"]
    assert local_name(b"a/b&broken", b".", b"") == "a_b&broken"
    with pytest.raises(MigrationError):
        folder([b"x"], spaces)


def test_sources_are_told_apart_and_hold_no_password() -> None:
    assert parse_location("imaps://a%40b.test@mail.test") == Location("a@b.test", "mail.test", 993, True)
    assert parse_location("imap://a@b.test@mail.test:1143") == Location("a@b.test", "mail.test", 1143, False)
    for text in ("imap://mail.test", "imap://a:secret@mail.test", "imap://a@mail.test:x", "imap://a@mail.test/INBOX"):
        with pytest.raises(InvalidError) as caught:
            parse_location(text)
        assert "secret" not in str(caught.value)
    assert plain(b"a\x1b[31m\r\nb") == "a?[31m?b"
