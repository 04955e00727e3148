"""The messages that a script has sent, as bytes (RFC 5230 §5, RFC 5436 §2.7)."""

import quopri
import re
from email.headerregistry import Address as RegistryAddress
from email.message import EmailMessage
from email.policy import SMTP

from mailstead.formats.message.date import format_date
from mailstead.formats.message.header import header_end, iter_field_ranges
from mailstead.formats.sieve.checks import bare_address
from mailstead.mail.filtering.actions import Notify, Vacation

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_REFERENCES = 20
_LINE = 998
_QUOTED = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
_PRIORITIES = {1: ("High", "1 (High)"), 2: ("Normal", "3 (Normal)"), 3: ("Low", "5 (Low)")}


def _plain(text: str) -> str:
    """Text that can stand in a field."""
    return _CONTROL.sub(" ", text).strip()


def _address(text: str) -> RegistryAddress | str:
    """An address with its name, as the standard library's fields take it; the bare one when that refuses."""
    bare = _plain(bare_address(text))
    name = _plain(text.partition("<")[0]).strip('" ') if "<" in text else ""
    try:
        return RegistryAddress(display_name=name, addr_spec=bare)
    except ValueError:
        return bare


def _started(sender: str, recipients: tuple[str, ...], subject: str, message_id: str, now: float) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender)
    message["To"] = [_address(recipient) for recipient in recipients]
    message["Subject"] = _plain(subject)
    message["Date"] = format_date(now)
    message["Message-ID"] = f"<{message_id}>"
    return message


def vacation_message(action: Vacation, message_id: str, now: float) -> bytes:
    """The reply: marked as automatic, referring to what it answers."""
    message = _started(action.sender, (action.recipient,), action.subject, message_id, now)
    message["Auto-Submitted"] = "auto-replied (vacation)"
    message["Precedence"] = "bulk"
    if action.in_reply_to:
        answered = _plain(action.in_reply_to)
        message["In-Reply-To"] = f"<{answered}>"
        references = [*action.references[-_REFERENCES:], answered]
        message["References"] = " ".join(f"<{_plain(one)}>" for one in dict.fromkeys(references))
    if not action.is_mime:
        message.set_content(action.reason.replace("\r\n", "\n").rstrip("\n") + "\n")
        return message.as_bytes()
    fields, body = mime_entity(action.reason)
    message["MIME-Version"] = "1.0"
    header = message.as_bytes().removesuffix(b"\r\n").rstrip(b"\r\n") + b"\r\n"
    return header + fields + b"\r\n" + body


def mime_entity(reason: str) -> tuple[bytes, bytes]:
    """The MIME fields and the body of a :mime text; other fields could speak for the server and are left out."""
    octets = "\r\n".join(reason.replace("\r\n", "\n").split("\n")).encode("utf-8", "replace")
    end = header_end(octets, 0, len(octets))
    kept = [
        octets[begin:stop]
        for name, begin, stop in iter_field_ranges(octets[:end])
        if name.lower().startswith(b"content-")
    ]
    fields = b"".join(field if field.endswith(b"\n") else field + b"\r\n" for field in kept)
    return fields, octets[end:]


def text_entity(text: str) -> tuple[bytes, bytes]:
    """The MIME fields and the body of a plain text; no line of it can be taken for a boundary."""
    lines = text.replace("\r\n", "\n").split("\n")
    if text.isascii() and all(len(line) <= _LINE and not line.startswith("--") for line in lines):
        fields = b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
        return fields, "\r\n".join(lines).encode()
    encoded = b"\r\n".join(
        quopri.encodestring(line.encode("utf-8", "replace")).replace(b"\n", b"\r\n").replace(b"--", b"=2D-")
        for line in lines
    )
    return _QUOTED, encoded


def field(name: str, value: str) -> bytes:
    """One field, encoded where it is not ASCII (RFC 2047)."""
    message = EmailMessage(policy=SMTP)
    message[name] = _plain(value)
    return message.as_bytes().removesuffix(b"\r\n")


def notify_message(action: Notify, owner: str, message_id: str, now: float) -> bytes:
    """The notice, marked so that no notice is ever sent of it (RFC 5436 §2.7.1)."""
    message = _started(action.sender, action.recipients, action.subject, message_id, now)
    message["Auto-Submitted"] = f'auto-notified; owner-email="{_plain(owner)}"'
    importance, priority = _PRIORITIES[action.importance]
    message["Importance"] = importance
    message["X-Priority"] = priority
    message.set_content(_CONTROL_BUT_BREAKS.sub(" ", action.text))
    return message.as_bytes()


_CONTROL_BUT_BREAKS = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
