"""Mailbox names on the wire, and LIST patterns."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.modified_utf7 import encode_utf7
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.names import decode_name, decode_utf7, shown
from mailstead.protocols.imap.grammar.patterns import Pattern

texts = st.text(st.characters(codec="utf-8", min_codepoint=32, blacklist_categories=["Cs"]), max_size=40)


def test_the_examples_of_rfc_3501() -> None:
    assert decode_utf7("~peter/mail/&U,BTFw-/&ZeVnLIqe-") == "~peter/mail/台北/日本語"
    assert encode_utf7("~peter/mail/台北/日本語") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert decode_utf7("a &- b") == "a & b"
    assert shown("a & б", False) == b'"a &- &BDE-"'
    assert shown('a & "б"', True) == 'a & \\"б\\"'.join('""').encode()


@given(texts)
def test_names_go_there_and_back(name: str) -> None:
    assert decode_utf7(encode_utf7(name)) == name
    assert encode_utf7(name).isascii()
    assert decode_name(name.encode(), True) == name


@pytest.mark.parametrize("octets", [b"\xff", b"&AA-", b"&2AA-", b"&Jjo!", b"a&"])
def test_what_is_no_name_is_refused(octets: bytes) -> None:
    with pytest.raises((CommandError, NoError)):
        decode_name(octets, False)


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_patterns_match_as_a_regular_expression_would(pattern: str, name: str) -> None:
    expression = re.escape(pattern).replace("\\*", ".*").replace("%", "[^/]*")
    assert Pattern(pattern).matches(name) == bool(re.fullmatch(expression, name))


def test_inbox_is_matched_in_any_case() -> None:
    assert Pattern("inbox").matches("INBOX")
    assert Pattern("inBox/%").matches("INBOX/a")
    assert not Pattern("in%").matches("INBOX")


def test_no_pattern_takes_long() -> None:
    assert not Pattern("*a" * 500 + "b").matches("a" * 1000)
