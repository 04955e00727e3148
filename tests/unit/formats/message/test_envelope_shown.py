from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.message.envelope import envelope
from mailstead.formats.message.envelope_shown import Person, read_envelope
from mailstead.formats.message.part import Bounds


def test_fields_come_back_decoded() -> None:
    stored = envelope(
        {
            b"date": b"Wed, 25 Nov 2026 04:00:00 +0000",
            b"subject": b'=?utf-8?q?gr=C3=BC=C3=9Fe?= "quoted" \\ back',
            b"from": b'=?utf-8?b?w4RwZmVs?= <a@b.test>, "C, D" <c@d.test>',
            b"to": b"friends: e@f.test, g@h.test;, i@j.test",
            b"in-reply-to": b"<x@y>",
            b"message-id": b"<m@n>",
        },
        Bounds().addresses,
    )
    shown = read_envelope(stored)
    assert shown.subject == 'grüße "quoted" \\ back'
    assert shown.senders == (Person("Äpfel", "a@b.test"), Person("C, D", "c@d.test"))
    assert shown.reply_to == shown.senders
    assert [person.address for person in shown.to] == ["e@f.test", "g@h.test", "i@j.test"]
    assert shown.cc == ()
    assert (shown.in_reply_to, shown.message_id) == ("<x@y>", "m@n")


def test_text_cannot_turn_itself_around_or_break_lines() -> None:
    stored = envelope({b"subject": "a\u202egnp.exe\x07".encode(), b"from": b'"x\t\x1b[31m" <a@b.test>'}, 10)
    shown = read_envelope(stored)
    assert shown.subject == "a gnp.exe"
    assert shown.senders[0].name == "x [31m"


@given(st.dictionaries(st.sampled_from([b"from", b"to", b"subject", b"message-id"]), st.binary(max_size=200)))
def test_any_header_s_envelope_can_be_read(header: dict[bytes, bytes]) -> None:
    shown = read_envelope(envelope(header, 50))
    assert "\n" not in shown.subject


@given(st.binary(max_size=300))
def test_any_octets_are_read_as_something(stored: bytes) -> None:
    read_envelope(stored)
