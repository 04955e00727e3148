"""Mail that carries scheduling messages: written, found, and believed or not."""

from email import message_from_bytes
from email.policy import default

import pytest

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.write import write_line
from mailstead.formats.message.part import Bounds
from mailstead.mail.scheduling.imip import author_of, compose_imip, find_calendar, is_authentic
from mailstead.mail.scheduling.message import ItipMessage
from mailstead.mail.scheduling.organizer import organize
from support.events import ANN, BOB, BOUNDS, EVE, NOW, attendee, calendar, event, instance, series

RULE = "RRULE:FREQ=WEEKLY;COUNT=5"


def invitation(*lines: str) -> ItipMessage:
    outcome = organize(None, calendar(event(attendee(EVE), *lines)), frozenset([ANN]), NOW, BOUNDS)
    return outcome.messages[0]


def mail_of(message: ItipMessage) -> bytes:
    return compose_imip(message, series(message.data), "id@a.test", NOW)


def test_the_mail_is_for_people_and_for_programs() -> None:
    message = invitation("LOCATION:Hall\\, left", "DESCRIPTION:Bring\\nbread", RULE)
    mail = message_from_bytes(mail_of(message), policy=default)
    assert mail["Subject"] == "Invitation: Talk"
    assert mail["From"] == f"Ann <{ANN}>"
    assert mail["To"] == f"Eve <{EVE}>"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    for words in (
        "Ann invites you to this event.",
        "When:  Monday, 7 September 2026, 09:00 to 10:00 (Europe/Paris)",
        "every week, 5 times",
        "Where: Hall, left",
        "  - Eve <eve@b.test>",
        "Bring\nbread",
    ):
        assert words in text
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert len(parts) == 1
    assert parts[0]["Content-Type"].params["method"] == "REQUEST"
    assert parts[0]["Content-Type"].params["component"] == "VEVENT"
    assert parts[0].get_payload(decode=True) == message.data
    assert parts[0].get_content_disposition() is None
    files = [part.get_filename() for part in mail.iter_attachments()]
    assert files == ["invite.ics"]


def test_the_calendar_is_found_again() -> None:
    message = invitation()
    assert find_calendar(mail_of(message), Bounds()) == message.data
    assert find_calendar(b"Subject: x\r\n\r\nhello\r\n", Bounds()) is None
    plain = b"Content-Type: text/calendar\r\n\r\n" + calendar(event())
    assert find_calendar(plain, Bounds()) is None


@pytest.mark.parametrize(
    ("method", "partstat", "subject", "sentence"),
    [
        ("REPLY", "ACCEPTED", "Accepted: Talk", "Bob will come."),
        ("REPLY", "DECLINED", "Declined: Talk", "Bob will not come."),
        ("REPLY", "TENTATIVE", "Tentatively accepted: Talk", "Bob may come."),
        ("COUNTER", "ACCEPTED", "Another time proposed: Talk", "Bob proposes this time."),
        ("CANCEL", "ACCEPTED", "Cancelled: Talk", "Bob has cancelled this event."),
        ("REFRESH", "ACCEPTED", "Please send again: Talk", "Bob asks to be sent this event again."),
    ],
)
def test_words(method: str, partstat: str, subject: str, sentence: str) -> None:
    data = calendar(event(attendee(BOB, partstat)))
    mail = message_from_bytes(mail_of(ItipMessage(method, BOB, ANN, "one", data)), policy=default)  # type: ignore[arg-type] # of the table
    assert mail["Subject"] == subject
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith(sentence)


def test_several_instances_are_told_one_by_one() -> None:
    data = calendar(instance("20260914T090000", attendee(EVE)), instance("20260921T090000", attendee(EVE)))
    body = message_from_bytes(mail_of(ItipMessage("REQUEST", ANN, EVE, "one", data)), policy=default).get_body(
        ("plain",)
    )
    assert body is not None
    assert "14 September" in body.get_content()
    assert "21 September" in body.get_content()


@pytest.mark.parametrize("name", ["Evil\r\nBcc: x@y.test", 'Quo"te', "Ünï", "a,b;c:d"])
def test_names_stay_names(name: str) -> None:
    line = write_line(ContentLine("ATTENDEE", f"mailto:{EVE}", (("CN", (name,)),))).decode().rstrip()
    data = calendar(event(line))
    mail = message_from_bytes(mail_of(ItipMessage("REQUEST", ANN, EVE, "one", data)), policy=default)
    assert mail["Bcc"] is None
    assert [one.addr_spec for one in mail["To"].addresses] == [EVE]


@pytest.mark.parametrize(
    ("header", "author"),
    [
        (b"From: Ann <Ann@A.test>\r\n\r\n", ANN),
        (b"From: ann@a.test, bob@a.test\r\n\r\n", ""),
        (b"From: ann@a.test\r\nFrom: bob@a.test\r\n\r\n", ""),
        (b"Sender: ann@a.test\r\n\r\n", ""),
    ],
)
def test_the_author_is_one(header: bytes, author: str) -> None:
    assert author_of(header) == author


OURS = b"Received: from x (1.2.3.4)\r\n\tby mx.here.test with ESMTPS id 1;\r\n\tMon, 7 Sep 2026 09:00:00 +0000\r\n"
LMTP = b"Received: from x\r\n\tby mx.here.test with LMTP id 1;\r\n\tMon, 7 Sep 2026 09:00:00 +0000\r\n"
LOGIN = OURS.replace(b"ESMTPS", b"ESMTPSA")


def results(text: str, identifier: str = "mx.here.test") -> bytes:
    return f"Authentication-Results: {identifier}; {text}\r\n".encode()


@pytest.mark.parametrize(
    ("header", "believed"),
    [
        (b"", True),
        (LMTP, True),
        (LOGIN, True),
        (LMTP + LOGIN, True),
        (OURS, False),
        (LMTP + OURS, False),
        (OURS + LOGIN, False),
        (results("dmarc=pass header.from=a.test") + OURS, True),
        (LMTP + results("dmarc=pass header.from=a.test") + OURS, True),
        (results("dmarc=pass header.from=b.test") + OURS, False),
        (results("dmarc=pass header.from=a.test", "mx.else.test") + OURS, False),
        (results("dmarc=fail header.from=a.test; dkim=pass header.d=a.test") + OURS, False),
        (results("dmarc=none header.from=a.test; dkim=pass header.d=a.test") + OURS, True),
        (results("dkim=pass header.d=b.test") + OURS, False),
        (results("dkim=fail header.d=a.test; spf=pass smtp.mailfrom=a.test") + OURS, False),
        (b"Received: from by ([1.2.3.4]) by mx.here.test with ESMTP id 1; x\r\n", False),
        (b"Received: from with ([1.2.3.4]) by mx.here.test with ESMTP id 1; x\r\n", False),
        (OURS.replace(b"mx.here.test with ESMTPS", b"mx.else.test with ESMTPSA"), False),
    ],
)
def test_who_is_believed(header: bytes, believed: bool) -> None:
    start = header + b"From: ann@a.test\r\n\r\nbody"
    assert is_authentic(start, ANN, "mx.here.test", "mx.here.test") is believed
