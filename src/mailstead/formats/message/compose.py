"""Messages that are written here: by people in the web and the API, and by the server itself."""

import re
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

import msgspec

from mailstead.formats.message.date import format_date

Priority = Literal["high", "normal", "low"]
TextEncoding = Literal["quoted-printable", "base64"]


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with a message; with a `content_id` it is shown inside the HTML."""

    filename: str
    type: str
    content: bytes
    content_id: str = ""


class Alternative(msgspec.Struct, frozen=True):
    """Another form of the same text (RFC 2046 §5.1.4): a calendar object, Markdown, and their like."""

    type: str
    content: bytes
    parameters: tuple[tuple[str, str], ...] = ()


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written. Addresses as in a header field, ids without angle brackets, `now` in epoch seconds.

    Bcc stands in the message: submission takes it out, a draft keeps it. `plainer` forms stand
    before the HTML, `richer` ones after it: programs show the last that they know.
    """

    sender: str
    author: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    plainer: tuple[Alternative, ...] = ()
    richer: tuple[Alternative, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    priority: Priority = "normal"
    header: tuple[tuple[str, str], ...] = ()
    encoding: TextEncoding | None = None
    message_id: str
    now: float


_NAME = re.compile(r"[!-9;-~]{1,100}")  # RFC 5322 §3.6.8
_OURS = ("mime-version", "received", "return-path", "dkim-signature", "bcc", "date", "message-id")
_PRIORITIES: dict[Priority, tuple[tuple[str, str], ...]] = {
    "high": (("X-Priority", "1 (Highest)"), ("Importance", "High")),
    "normal": (),
    "low": (("X-Priority", "5 (Lowest)"), ("Importance", "Low")),
}


def compose(wanted: Composition) -> bytes:
    """The message in CRLF lines: text, HTML as its alternative, pictures related to it, files mixed in.

    Raises ValueError for a header value with a line break, for a field that is written here, and for addresses that are
    none.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = wanted.sender
    if wanted.author:
        message["Sender"] = wanted.author
    lists = (("To", wanted.to), ("Cc", wanted.cc), ("Bcc", wanted.bcc), ("Reply-To", wanted.reply_to))
    for name, values in lists:
        if values:
            message[name] = ", ".join(values)
    message["Subject"] = wanted.subject
    message["Date"] = format_date(wanted.now)
    message["Message-ID"] = f"<{wanted.message_id}>"
    if wanted.in_reply_to:
        message["In-Reply-To"] = f"<{wanted.in_reply_to}>"
    if wanted.references:
        message["References"] = " ".join(f"<{reference}>" for reference in wanted.references)
    for name, value in (*_PRIORITIES[wanted.priority], *wanted.header):
        if name.lower() in _OURS or name.lower().startswith("content-"):
            raise ValueError(f"{name} is written by the server")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a field")
        message[name] = value
    _add_text(message, wanted)
    for attachment in wanted.attachments:
        if not (attachment.content_id and wanted.html):
            maintype, _, subtype = attachment.type.partition("/")
            message.add_attachment(attachment.content, maintype, subtype, filename=attachment.filename)
    return message.as_bytes()


def _add_text(message: EmailMessage, wanted: Composition) -> None:
    """The text in all of its forms, the plainest first."""
    if wanted.text or not wanted.html:
        message.set_content(wanted.text, cte=wanted.encoding)
    forms: list[Alternative | str] = [*wanted.plainer, *([wanted.html] if wanted.html else []), *wanted.richer]
    for form in forms:
        if isinstance(form, Alternative):
            _add_alternative(message, form)
            continue
        if not message.is_multipart() and not message.get("content-type"):
            message.set_content(form, subtype="html", cte=wanted.encoding)
            part = message
        else:
            message.add_alternative(form, subtype="html", cte=wanted.encoding)
            part = message.get_payload()[-1]  # type: ignore[index, assignment] # it is multipart now
        for attachment in wanted.attachments:
            if attachment.content_id:
                _relate(part, attachment)


def _add_alternative(message: EmailMessage, form: Alternative) -> None:
    maintype, _, subtype = form.type.partition("/")
    parameters = dict(form.parameters)
    if maintype == "text":
        text = form.content.decode("utf-8", "replace")
        message.add_alternative(text, subtype=subtype, params=parameters)
    else:
        message.add_alternative(form.content, maintype, subtype, params=parameters)


def _relate(part: EmailMessage, attachment: Attachment) -> None:
    maintype, _, subtype = attachment.type.partition("/")
    part.add_related(
        attachment.content,
        maintype,
        subtype,
        cid=f"<{attachment.content_id}>",
        filename=attachment.filename,
        disposition="inline",
    )


def text_message(*, sender: str, recipient: str, subject: str, text: str, message_id: str, now: float) -> bytes:
    """A message of one plain text to one recipient. `message_id` without angle brackets."""
    return compose(
        Composition(sender=sender, to=(recipient,), subject=subject, text=text, message_id=message_id, now=now)
    )
