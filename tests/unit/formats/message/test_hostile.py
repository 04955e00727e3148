"""Inputs that once took exponential, cubic or quadratic time, or gave text that cannot be stored.

Nothing is timed: before, the first ones did not end within any patience.
"""

import encodings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.message.address import Address, parse_addresses
from mailstead.formats.message.charset import codec_name, decode
from mailstead.formats.message.html import html_to_text
from mailstead.formats.message.index import index_message
from mailstead.formats.message.subject import base_subject


def test_a_subject_of_many_forward_marks_ends() -> None:
    assert base_subject("a" + " (fwd)" * 150 + "x").endswith("(fwd)x")
    assert base_subject("a" + " (fwd)" * 150) == "a"


@pytest.mark.parametrize("start", [b"a", b"a@b.test,", b'"a" ', b"a <"])
def test_addresses_among_long_spaces_end(start: bytes) -> None:
    parse_addresses(start + b" " * 200_000 + b";")


def test_plain_addresses_are_read_as_before() -> None:
    assert parse_addresses(b' "A B"  <a@b> , c@d ,\tE <e@f>') == [
        Address(b"A B", b"a", b"b"),
        Address(b"", b"c", b"d"),
        Address(b"E", b"e", b"f"),
    ]


@pytest.mark.parametrize("piece", ["<script>", "<!--", "<p ", "<style", "<title>", "<", "</script", "<![CDATA["])
def test_html_that_is_never_closed_ends(piece: str) -> None:
    assert html_to_text("seen" + piece * 300_000).startswith("seen")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a</p><p>b &amp; c</p>", "a\nb & c"),
        ("a<script>x<b</script>b<STYLE>y</Style >c", "abc"),
        ("<head><title>t</title><body>shown", "shown"),
        ("1 < 2 <!-- no -->yes", "1 < 2 yes"),
        ("<td>a</td><td>b</td>", "a b"),
        ("cut <a href='", "cut"),
    ],
)
def test_html(source: str, expected: str) -> None:
    assert html_to_text(source) == expected


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    found = index_message(b"Subject: =?utf-7?q?+2AA-?=\nContent-Type: text/plain; charset=utf-7\n\n+2AA-\n")
    assert found.subject == "\ufffd"
    assert found.preview == "\ufffd"


@given(st.binary(max_size=60), st.sampled_from(["utf-7", "utf-16", "utf-32", "gb18030", "iso-2022-jp", "hz", "big5"]))
def test_decoded_text_can_be_stored(data: bytes, charset: str) -> None:
    decode(data, charset).encode()


def test_unknown_charsets_leave_nothing_behind() -> None:
    before = len(encodings._cache)
    for number in range(100):
        assert codec_name(f"no-such-charset-{number}") is None
    assert len(encodings._cache) == before


@pytest.mark.parametrize(
    "name",
    [
        "UTF-8",
        "windows-1251",
        "koi8-r",
        "KOI8-U",
        "iso-8859-15",
        "big5",
        "gb2312",
        "euc-jp",
        "x-sjis",
        "cp1252",
        "utf8",
    ],
)
def test_charsets_of_real_mail_are_known(name: str) -> None:
    assert codec_name(name) is not None


def test_a_quoted_reply_is_left_out_of_the_preview_in_network_lines() -> None:
    raw = b"Subject: x\r\n\r\nYes.\r\nOn Monday A wrote:\r\n> Well?\r\n"
    assert index_message(raw).preview == "Yes."
