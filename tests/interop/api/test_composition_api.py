"""POST /emails with everything that nodemailer's callers give it."""

import base64
import email
import email.header
from collections.abc import Callable
from email.message import Message
from typing import Any

import httpx
import pytest

Client = Callable[..., httpx.Client]
ICAL = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def arrived(as_account: Client, wanted: dict[str, Any]) -> Message:
    """What bob gets of what alice sends."""
    subject = wanted.setdefault("subject", f"composed {id(wanted)}")
    with as_account("alice") as alice:
        answer = alice.post("/emails", json={"to": "bob@example.test", "text": "t"} | wanted)
        assert answer.status_code == 200, answer.text
    with as_account("bob") as bob:
        (found,) = bob.get("/messages", params={"subject": subject, "limit": 1}).json()
        return email.message_from_bytes(bob.get(f"/messages/{found['id']}/raw").content)


def parts(message: Message) -> dict[str, Message]:
    return {part.get_content_type(): part for part in message.walk()}


def test_every_form_of_the_text_and_every_file_arrives(as_account: Client) -> None:
    wanted = {
        "html": f'<p>rich</p><img src="data:image/png;base64,{PIXEL}"><img src="cid:own">',
        "amp": "<html amp4email></html>",
        "watchHtml": "<b>short</b>",
        "attachDataUrls": True,
        "icalEvent": {"method": "request", "content": ICAL, "filename": "invite.ics"},
        "alternatives": [{"contentType": "text/markdown", "content": "*rich*"}],
        "attachments": [
            {"filename": "own.png", "content": PIXEL, "contentType": "image/png", "cid": "own"},
            {"filename": "h.bin", "content": "00ff", "encoding": "hex"},
            {"filename": "日本.txt", "content": "text ü", "encoding": "utf-8", "contentType": "text/plain"},
        ],
        "priority": "high",
        "replyTo": "Desk <desk@example.test>",
        "inReplyTo": "<a@x>",
        "references": ["<a@x>", "<b@x>"],
        "headers": {"X-Job": "7", "X-Many": ["1", "2"]},
        "messageId": "<own-id@example.test>",
        "list": {"unsubscribe": {"url": "https://x.test/u", "comment": "Leave"}, "help": "help@x.test", "id": "x.test"},
        "textEncoding": "quoted-printable",
    }
    message = arrived(as_account, wanted)
    found = parts(message)
    assert {"text/plain", "text/watch-html", "text/x-amp-html", "text/html", "text/markdown", "text/calendar"} <= set(
        found
    )
    html = found["text/html"].get_payload(decode=True)
    assert isinstance(html, bytes)
    assert b"data:" not in html
    assert [part.get_filename() for part in message.walk() if part.get_filename()] == [
        "own.png",
        "picture-1.png",
        "h.bin",
        "日本.txt",
        "invite.ics",
    ]
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert [part.get_payload(decode=True) for part in pictures] == [base64.b64decode(PIXEL)] * 2
    assert found["text/calendar"].get_param("method") == "REQUEST"
    assert (message["X-Job"], message.get_all("X-Many"), message["Importance"]) == ("7", ["1", "2"], "High")
    assert (message["Message-ID"], message["In-Reply-To"], message["References"]) == (
        "<own-id@example.test>",
        "<a@x>",
        "<a@x> <b@x>",
    )
    assert message["List-Unsubscribe"] == "<https://x.test/u> (Leave)"
    assert (message["List-Help"], message["List-Id"]) == ("<mailto:help@x.test>", "<x.test>")


def test_a_whole_message_goes_as_it_is(as_account: Client) -> None:
    raw = "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: raw one\r\nX-Odd:  kept \r\n\r\nbody ü\r\n"
    message = arrived(as_account, {"raw": raw, "subject": "raw one"})
    assert message["X-Odd"] == "kept "
    encoded = base64.b64encode(raw.replace("raw one", "raw two").encode()).decode()
    assert arrived(as_account, {"raw": encoded, "encoding": "base64", "subject": "raw two"})["X-Odd"] == "kept "


def test_a_list_of_header_fields_and_an_old_date_are_taken(as_account: Client) -> None:
    wanted = {"headers": [{"key": "X-One", "value": "ü"}], "date": "2020-02-03T04:05:06Z", "subject": "dated"}
    message = arrived(as_account, wanted)
    assert message["Date"] == "Mon, 03 Feb 2020 04:05:06 +0000"
    assert str(email.header.make_header(email.header.decode_header(message["X-One"]))) == "ü"


@pytest.mark.parametrize(
    "bad",
    [
        {"attachments": [{"filename": "x", "content": "!!"}]},
        {"attachments": [{"filename": "x", "content": "zz", "encoding": "hex"}]},
        {"attachments": [{"filename": "x", "content": "x", "encoding": "rot13"}]},
        {"attachments": [{"filename": "x", "path": "/etc/passwd"}]},
        {"attachments": [{"filename": "x", "content": "", "contentType": "text/html\r\nX: y"}]},
        {"attachments": [{"content": ""}] * 101},
        {"icalEvent": {"content": ICAL, "method": "RE QUEST"}},
        {"list": {"unsubscribe": "https://x.test/>\r\nBcc: eve@x.test"}},
        {"list": {"un subscribe": "https://x.test/"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"X-A": "b\nBcc: eve@x.test"}},
        {"headers": {"X A": "b"}},
        {"subject": "a\r\nBcc: eve@x.test"},
        {"messageId": "a\r\nBcc: eve@x.test"},
        {"priority": "urgent"},
        {"date": "tomorrow"},
        {"from": "alice@example.test, bob@example.test"},
        {"raw": "!!", "encoding": "base64"},
        {"raw": "no header and no author"},
        {"text": ["a"]},
        {"to": {"a": 1}},
        {"to": [["nested"]]},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused_and_nothing_is_sent(as_account: Client, bad: dict[str, Any]) -> None:
    with as_account("alice") as alice:
        before = alice.get("/emails").headers["x-item-count"]
        answer = alice.post("/emails", json={"to": "bob@example.test", "subject": "s", "text": "t"} | bad)
        assert answer.status_code in (400, 403), answer.text
        assert alice.get("/emails").headers["x-item-count"] == before
