import contextlib

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.foundation.dns.resolver import Chain
from mailstead.foundation.dns.wire import MalformedError, Question, encode_name, encode_query, read_name, read_reply

IDENTIFIER = 4711
NAME = encode_name("example.test")
RECORDS = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "MX": "10 mail.example.test.",
    "TXT": '"v=spf1" " -all"',
    "CNAME": "www.example.test.",
    "PTR": "mail.example.test.",
    "SRV": "0 1 993 mail.example.test.",
    "TLSA": "3 1 1 " + "ab" * 32,
    "CAA": '0 issue "ca.example.test"',
    "NS": "ns.example.test.",
}
SOA = "ns.example.test. host.example.test. 1 2 3 4 60"


def reply(kind: str, value: str) -> bytes:
    message = dns.message.make_query("example.test", kind, use_edns=0, id=IDENTIFIER)
    answer = dns.message.make_response(message)
    answer.answer.append(dns.rrset.from_text("Example.TEST.", 300, "IN", kind, value))
    answer.authority.append(dns.rrset.from_text("example.test.", 300, "IN", "SOA", SOA))
    return answer.to_wire()


def answer_of(wire: bytes, kind: str) -> Answer | None:
    question = Question(NAME, dns.rdatatype.from_text(kind))
    found = read_reply(wire, IDENTIFIER, question)
    return Chain(question, DnsSettings(trusted=True)).read(found) if found is not None else None


def test_a_query_is_what_other_implementations_read() -> None:
    message = dns.message.from_wire(encode_query(IDENTIFIER, Question(NAME, dns.rdatatype.MX), edns=True))
    assert message.id == IDENTIFIER
    assert message.question[0].to_text() == "example.test. IN MX"
    assert message.flags == dns.flags.RD | dns.flags.AD
    assert (message.edns, message.payload) == (0, 1232)
    assert dns.message.from_wire(encode_query(IDENTIFIER, Question(NAME, 1), edns=False)).edns == -1


@pytest.mark.parametrize(("kind", "value"), RECORDS.items())
def test_replies_of_other_implementations_are_read(kind: str, value: str) -> None:
    answer = answer_of(reply(kind, value), kind)
    assert answer is not None
    assert answer.outcome == "found"
    assert answer.records == (value if kind != "TXT" else "v=spf1 -all",)
    assert answer.canonical == "example.test"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        reply("A", "192.0.2.1")[:11],
        b"\x00\x00" + reply("A", "192.0.2.1")[2:],
        encode_query(IDENTIFIER, Question(NAME, 1), edns=True),
        reply("A", "192.0.2.1").replace(b"\x07example", b"\x07exemple", 1),
        reply("AAAA", "::1"),
    ],
)
def test_what_answers_something_else_is_no_reply(wire: bytes) -> None:
    assert read_reply(wire, IDENTIFIER, Question(NAME, 1)) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"\xc0\x00",
        b"\xc0\x02\xc0\x00",
        b"\x03abc\xc0\x04",
        b"\x40abc\x00",
        b"\x80abc\x00",
        b"\x01a" * 128 + b"\x00",
    ],
)
def test_names_that_loop_or_are_too_long_are_refused(octets: bytes) -> None:
    with pytest.raises(MalformedError):
        read_name(octets, 0)


def test_a_pointer_back_is_followed_and_what_stands_behind_it_is_next() -> None:
    octets = encode_name("example.test") + b"\x04MAIL\xc0\x00rest"
    assert read_name(octets, 14) == (encode_name("mail.example.test"), 21)


@given(data=st.data(), kind=st.sampled_from(sorted(RECORDS)))
def test_damaged_replies_are_read_or_refused_by_the_parsers_own_error(data: st.DataObject, kind: str) -> None:
    wire = bytearray(reply(kind, RECORDS[kind]))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(2, len(wire) - 1))
        wire[position] = data.draw(st.sampled_from([0, 0x3F, 0xC0, 0xFF]) | st.integers(0, 255))
    del wire[data.draw(st.integers(0, len(wire)) | st.just(len(wire))) :]
    with contextlib.suppress(MalformedError, ResolutionError):
        answer_of(bytes(wire), kind)


@given(noise=st.binary(max_size=200), counts=st.lists(st.integers(0, 65535), min_size=3, max_size=3))
def test_any_octets_behind_a_right_header_are_read_or_refused(noise: bytes, counts: list[int]) -> None:
    header = b"\x12\x67\x81\x80\x00\x01" + b"".join(count.to_bytes(2, "big") for count in counts)
    with contextlib.suppress(MalformedError, ResolutionError):
        answer_of(header + NAME + b"\x00\x0f\x00\x01" + noise, "MX")
