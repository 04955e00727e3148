"""Messages that are written here: by people in the web and the API, and by the server itself."""

from email.message import EmailMessage
from email.policy import SMTP

import msgspec

from mailstead.formats.message.date import format_date


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with a message; with a `content_id` it is shown inside the HTML."""

    filename: str
    type: str
    content: bytes
    content_id: str = ""


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written. Addresses as in a header field, ids without angle brackets, `now` in epoch seconds.

    Bcc stands in the message: submission takes it out, a draft keeps it.
    """

    sender: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = ()
    message_id: str
    now: float


def compose(wanted: Composition) -> bytes:
    """The message in CRLF lines: text, HTML as its alternative, pictures related to it, files mixed in.

    Raises ValueError for a header value with a line break and for addresses that are none.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = wanted.sender
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
    for name, value in wanted.header:
        message[name] = value
    message.set_content(wanted.text)
    if wanted.html:
        message.add_alternative(wanted.html, subtype="html")
    for attachment in wanted.attachments:
        maintype, _, subtype = attachment.type.partition("/")
        if attachment.content_id and wanted.html:
            body = message.get_body(("html",))
            assert isinstance(body, EmailMessage)
            body.add_related(
                attachment.content,
                maintype,
                subtype,
                cid=f"<{attachment.content_id}>",
                filename=attachment.filename,
                disposition="inline",
            )
        else:
            message.add_attachment(attachment.content, maintype, subtype, filename=attachment.filename)
    return message.as_bytes()


def text_message(*, sender: str, recipient: str, subject: str, text: str, message_id: str, now: float) -> bytes:
    """A message of one plain text to one recipient. `message_id` without angle brackets."""
    return compose(
        Composition(sender=sender, to=(recipient,), subject=subject, text=text, message_id=message_id, now=now)
    )
