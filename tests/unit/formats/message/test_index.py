import email
import itertools
from email import policy
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.message.address import GROUP_END, Address, parse_addresses
from mailstead.formats.message.charset import decode
from mailstead.formats.message.date import format_date, parse_date
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.index import MessageIndex, index_message
from mailstead.formats.message.lines import LineCount
from mailstead.formats.message.parameters import parse_parameters
from mailstead.formats.message.part import Bounds
from mailstead.formats.message.section import decode_part, header_fields, section_range
from mailstead.formats.message.subject import base_subject
from mailstead.formats.message.text import search_text
from support.corpus import CORPUS, corpus_messages

MIXED = b"""From: =?utf-8?q?J=C3=BCrgen?= <j@example.test>\r
To: undisclosed: a@b.test, "C, D" <c@d.test>;, e@f.test\r
Subject: Re: [list] =?utf-8?b?0L/RgNC40LLQtdGC?=\r
Date: Mon, 23 Nov 2026 20:33:00 +0100\r
Message-ID: <one@example.test>\r
In-Reply-To: <zero@example.test>\r
References: <a@b> <zero@example.test>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="out"\r
\r
preamble\r
--out\r
Content-Type: multipart/alternative; boundary=in\r
\r
--in\r
\r
plain words\r
--in\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<p>h=C3=BCbsch</p>\r
--in--\r
--out\r
Content-Type: message/rfc822\r
\r
Subject: inner\r
\r
inner body\r
--out\r
Content-Type: application/octet-stream; name*=utf-8''%D1%84.bin\r
Content-Disposition: attachment\r
Content-Transfer-Encoding: base64\r
\r
AAEC\r
--out--\r
epilogue\r
"""


class Reader:
    """An independent reader of IMAP data: nested lists of bytes and None."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def read(self) -> object:
        byte = self.data[self.place : self.place + 1]
        if byte == b"(":
            self.place += 1
            items: list[object] = []
            while self.data[self.place : self.place + 1] != b")":
                assert self.place < len(self.data)
                if self.data[self.place : self.place + 1] == b" ":
                    self.place += 1
                items.append(self.read())
            self.place += 1
            return items
        if byte == b'"':
            text = b""
            self.place += 1
            while (byte := self.data[self.place : self.place + 1]) != b'"':
                assert byte not in (b"", b"\r", b"\n")
                if byte == b"\\":
                    self.place += 1
                    byte = self.data[self.place : self.place + 1]
                text += byte
                self.place += 1
            self.place += 1
            return text
        if byte == b"{":
            end = self.data.index(b"}\r\n", self.place)
            size = int(self.data[self.place + 1 : end])
            self.place = end + 3 + size
            return self.data[end + 3 : self.place]
        start = self.place
        while self.data[self.place : self.place + 1] not in (b" ", b")", b""):
            self.place += 1
        atom = self.data[start : self.place]
        assert atom == b"NIL" or atom.isdigit(), atom
        return None if atom == b"NIL" else int(atom)


def check(raw: bytes, found: MessageIndex) -> None:
    assert found.size == len(raw)
    for place, part in enumerate(found.parts):
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(raw)
        if place:
            outer = found.parts[part.parent]
            assert part.parent < place
            assert outer.body_start <= part.header_start
            assert part.body_end <= outer.body_end
        decode_part(raw, part)
    for data in (found.envelope, found.body, found.bodystructure):
        reader = Reader(data)
        read = reader.read()
        assert isinstance(read, list)
        assert reader.place == len(data)
    read_envelope = Reader(found.envelope).read()
    assert isinstance(read_envelope, list)
    assert len(read_envelope) == 10
    paths = [part.path for part in found.parts]
    assert len(set(paths)) == len(paths)
    assert len(found.preview) <= 200
    search_text(raw, found.parts)


def test_a_message_with_everything() -> None:
    found = index_message(MIXED)
    check(MIXED, found)
    assert [(part.path, part.type) for part in found.parts] == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "message/rfc822"),
        ("2.1", "text/plain"),
        ("3", "application/octet-stream"),
    ]
    assert found.subject == "Re: [list] привет"
    assert found.base_subject == "привет"
    assert found.from_text == "Jürgen <j@example.test>"
    assert found.references == ("a@b", "zero@example.test")
    assert found.sent_at == 1795462380
    assert found.preview == "plain words"
    assert found.parts[6].filename == "ф.bin"
    assert decode_part(MIXED, found.parts[6]) == b"\0\1\2"
    assert "hübsch" in search_text(MIXED, found.parts).body

    def section(path: str, kind: str) -> bytes | None:
        place = section_range(found.parts, path, kind)  # type: ignore[arg-type] # a Literal by the callers
        return None if place is None else MIXED[slice(*place)]

    assert section("", "") == MIXED
    assert section("1.1", "") == b"plain words"
    assert (
        section("1.2", "MIME")
        == b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    assert section("2", "HEADER") == b"Subject: inner\r\n\r\n"
    assert section("2", "TEXT") == b"inner body"
    assert section("2.1", "") == b"inner body"
    assert section("4", "") is None
    assert section("1", "HEADER") is None


def test_fields_are_chosen_by_name() -> None:
    block = b"A: 1\r\nB: 2\r\n folded\r\na: 3\r\n\r\n"
    assert header_fields(block, frozenset([b"a"]), False) == b"A: 1\r\na: 3\r\n\r\n"
    assert header_fields(block, frozenset([b"a"]), True) == b"B: 2\r\n folded\r\n\r\n"


def test_an_unclosed_inner_multipart_ends_with_the_outer() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n"
        b"--ab\n\none\n--a\n\ntwo\n--a--\n"
    )
    found = index_message(raw)
    check(raw, found)
    assert [(part.path, decode_part(raw, part)) for part in found.parts if not part.is_multipart] == [
        ("1.1", b"one"),
        ("2", b"two"),
    ]


@given(st.binary(max_size=400))
def test_any_bytes_are_indexed(raw: bytes) -> None:
    check(raw, index_message(raw))


PIECES = st.sampled_from(
    b"""\r\n|\n|--b|--|--b--|--c|Content-Type: multipart/mixed; boundary=b| |"|(|<|Content-Type: message/rfc822|\xff|\0|x|,|:|;
|Content-Type: multipart/x; boundary=c|From: a@b|To: <|=?utf-8?q?|?=|Content-Transfer-Encoding: base64|Subject: """.split(
        b"|"
    )
)


@given(st.lists(PIECES, max_size=60).map(b"".join))
def test_hostile_mixtures_are_indexed(raw: bytes) -> None:
    check(raw, index_message(raw))


def test_bounds_hold() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500))
    found = index_message(deep)
    check(deep, found)
    assert len(found.parts) <= 66
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000
    assert len(index_message(wide).parts) == 1000
    many = b"To: " + b", ".join(b"user%d@example.test" % n for n in range(16_000)) + b"\n\n"
    assert index_message(many).envelope.count(b"example.test") == 1000
    assert len(index_message(many, Bounds(header_size=1024)).to_text) < 1200


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpus is not beside this checkout")
def test_every_corpus_message_is_indexed_and_agrees_with_the_standard_library() -> None:
    compared = 0
    for name, raw in corpus_messages():
        found = index_message(raw)
        check(raw, found)
        parsed = email.message_from_bytes(raw, policy=policy.compat32)
        if parsed.defects or name.startswith("mail-auth"):
            continue
        ours = [decode_part(raw, part) for part in found.parts if not part.is_multipart and part.encoding == "base64"]
        theirs = [
            part.get_payload(decode=True)
            for part in parsed.walk()
            if isinstance(part, Message)
            and not part.is_multipart()
            and str(part.get("content-transfer-encoding", "")).lower() == "base64"
            and not part.defects
        ]
        if theirs and len(ours) == len(theirs):
            compared += 1
            assert ours == theirs, name
    assert compared > 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a@b.test", [Address(b"", b"a", b"b.test")]),
        (b'"A. \\"B\\"" <a@b>', [Address(b'A. "B"', b"a", b"b")]),
        (b"<@r1,@r2:a@b>", [Address(b"", b"a", b"b")]),
        (b"a (comment (nested)) @ b", [Address(b"", b"a", b"b")]),
        (b'"a b"@c', [Address(b"", b"a b", b"c")]),
        (b"a@[192.0.2.1]", [Address(b"", b"a", b"[192.0.2.1]")]),
        (b"no address", [Address(b"", b"no address", b"")]),
        (b",,,", []),
        (b"g:;", [Address(b"", b"", b"", b"g"), GROUP_END]),
        (b"a@b; c@d", [Address(b"", b"a", b"b"), Address(b"", b"c", b"d")]),
    ],
)
def test_addresses(text: bytes, expected: list[Address]) -> None:
    assert parse_addresses(text) == expected


@given(st.text(alphabet='ab@<>,;:()[]"\\ .', max_size=60))
def test_any_address_field_is_read(text: str) -> None:
    parse_addresses(text.encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"=?iso-8859-1?q?a?= =?iso-8859-1?q?b?=", "ab"),
        (b"=?utf-8?b?0L8=?= x =?utf-8?q?=D1=80?=", "п x р"),
        (b"=?utf-8?b?0A==?= =?utf-8?b?vw==?=", "п"),
        (b"=?unknown?q?a=E9?=", "aé"),
        ("grüße".encode(), "grüße"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?idna?q?x?=", "x"),
    ],
)
def test_encoded_words(value: bytes, expected: str) -> None:
    assert decode_header_value(value) == expected


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: a", "a"),
        ("Fwd: Re[2]: [x] a (fwd)", "a"),
        ("[Fwd: a]", "a"),
        ("[x]", "[x]"),
        ("Re:", ""),
        ("a\t b", "a b"),
    ],
)
def test_base_subjects(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@given(st.integers(0, 4_000_000_000), st.integers(-12 * 60, 14 * 60))
def test_dates_read_back(moment: int, offset: int) -> None:
    assert parse_date(format_date(moment, offset).encode()) == moment


@pytest.mark.parametrize("text", [b"", b"Mon, 99 Foo 2020", b"31 Feb 2020 10:00:00 +0000", b"1 Jan 0000 10:00:00"])
def test_what_is_no_date_is_none(text: bytes) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        (b"text/plain (a comment); charset=utf-8", b"text/plain", [(b"charset", b"utf-8")]),
        (b"text/plain; charset=us-ascii (Plain text)", b"text/plain", [(b"charset", b"us-ascii")]),
        (b'multipart/mixed (a (b); c); boundary="(x)"', b"multipart/mixed", [(b"boundary", b"(x)")]),
        (b"text/plain; (why) charset=utf-8", b"text/plain", [(b"charset", b"utf-8")]),
        (b"text (sic) / plain", b"text  / plain", []),
        (b"application/pdf; name=bill (2).pdf", b"application/pdf", [(b"name", b"bill (2).pdf")]),
        (b"application/pdf; name=bill(2)", b"application/pdf", [(b"name", b"bill(2)")]),
        (b"text/plain (open; charset=utf-8", b"text/plain (open", [(b"charset", b"utf-8")]),
        (b"text/plain", b"text/plain", []),
    ],
)
def test_comments_among_parameters(value: bytes, main: bytes, parameters: list[tuple[bytes, bytes]]) -> None:
    assert parse_parameters(value) == (main, parameters)


def test_a_group_without_a_name_is_no_end_of_a_group() -> None:
    index = index_message(b"To: : a@b.test;\r\n\r\n")
    assert b'((NIL NIL "" NIL)(NIL NIL "a" "b.test")(NIL NIL NIL NIL))' in index.envelope


def test_lines_of_messages_within_messages() -> None:
    depth = 30
    raw = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\nContent-Type: message/rfc822\r\n\r\n" % (n, n)
        for n in range(depth)
    )
    raw += b"\r\none\r\ntwo" + b"".join(b"\r\n--b%d--" % n for n in reversed(range(depth)))
    parts = index_message(raw).parts
    counted = [part for part in parts if part.type == "message/rfc822"]
    assert len(counted) >= depth
    for part in parts:
        if part.lines:
            assert part.lines == raw.count(b"\n", part.body_start, part.body_end)


@given(st.binary(max_size=300).map(lambda data: data.replace(b"a", b"\n")), st.lists(st.integers(0, 300), max_size=20))
def test_counting_lines_in_any_order(raw: bytes, places: list[int]) -> None:
    lines = LineCount(raw)
    for start, end in itertools.pairwise(places):
        first, last = sorted((min(start, len(raw)), min(end, len(raw))))
        assert lines.between(first, last) == raw.count(b"\n", first, last)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"Die Fr\xf6sche", "utf-8", "Die Fr\u00f6sche"),  # says UTF-8 and is not
        ("Die Fr\u00f6sche".encode(), "us-ascii", "Die Fr\u00f6sche"),
        (b"Die Fr\xf6sche", "no-such-charset", "Die Fr\u00f6sche"),
        ("Fr\u00f6sche \u20ac".encode()[:-1], "utf-8", "Fr\u00f6sche \ufffd"),  # cut in the middle of a character
        (b"caf\xc3", "utf-8", "caf\ufffd"),
        (b"\x80 5", "iso-8859-1", "\u20ac 5"),
    ],
)
def test_charsets_that_are_not_what_they_say(data: bytes, charset: str, text: str) -> None:
    assert decode(data, charset) == text
