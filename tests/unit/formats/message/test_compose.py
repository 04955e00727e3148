"""Messages as they are written: their parts in order, and header fields that nobody smuggles."""

import email
from email.message import Message
from typing import Any

import pytest

from mailstead.formats.message.compose import Alternative, Attachment, Composition, compose


def written(**fields: Any) -> Message:
    wanted = Composition(sender="a@x.test", to=("b@x.test",), message_id="m@x", now=0.0, **fields)
    return email.message_from_bytes(compose(wanted))


def shape(message: Message) -> Any:
    """Types of the parts, nested."""
    if not message.is_multipart():
        return message.get_content_type()
    parts: Any = message.get_payload()
    return {message.get_content_type(): [shape(part) for part in parts]}


PICTURE = Attachment("d.png", "image/png", b"png", "d")
FILE = Attachment("f.bin", "application/octet-stream", b"file")
AMP = Alternative("text/x-amp-html", b"amp")
EVENT = Alternative("text/calendar", b"BEGIN:VCALENDAR", (("method", "REQUEST"),))


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"text": "t"}, "text/plain"),
        ({"html": "<b>"}, "text/html"),
        ({"text": "t", "html": "<b>"}, {"multipart/alternative": ["text/plain", "text/html"]}),
        ({"html": "<b>", "attachments": (PICTURE,)}, {"multipart/related": ["text/html", "image/png"]}),
        ({"text": "t", "attachments": (PICTURE,)}, {"multipart/mixed": ["text/plain", "image/png"]}),
        (
            {"text": "t", "html": "<b>", "plainer": (AMP,), "richer": (EVENT,), "attachments": (PICTURE, FILE)},
            {
                "multipart/mixed": [
                    {
                        "multipart/alternative": [
                            "text/plain",
                            "text/x-amp-html",
                            {"multipart/related": ["text/html", "image/png"]},
                            "text/calendar",
                        ]
                    },
                    "application/octet-stream",
                ]
            },
        ),
        ({"text": "t", "richer": (EVENT,)}, {"multipart/alternative": ["text/plain", "text/calendar"]}),
    ],
    ids=str,
)
def test_the_plainest_form_comes_first_and_files_last(fields: Any, wanted: Any) -> None:
    assert shape(written(**fields)) == wanted


def test_a_calendar_event_tells_its_method() -> None:
    parts: Any = written(text="t", richer=(EVENT,)).get_payload()
    assert parts[1].get_param("method") == "REQUEST"


def test_priority_sender_and_encoding_are_written() -> None:
    message = written(text="ü" * 200, priority="high", author="c@x.test", encoding="base64")
    assert (message["Importance"], message["Sender"]) == ("High", "c@x.test")
    assert message["Content-Transfer-Encoding"] == "base64"
    assert written(text="t")["Importance"] is None


@pytest.mark.parametrize(
    "header",
    [
        ("X-A", "b\r\nBcc: eve@x.test"),
        ("Subject", "twice"),
        ("Bcc", "eve@x.test"),
        ("Content-Type", "text/html"),
        ("MIME-Version", "2.0"),
        ("DKIM-Signature", "v=1"),
        ("Message-ID", "<other@x>"),
    ],
)
def test_fields_that_are_the_server_s_and_line_breaks_are_refused(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        written(text="t", header=(header,))
