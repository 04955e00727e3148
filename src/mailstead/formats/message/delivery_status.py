"""Delivery status notifications (RFC 3464) in a multipart/report (RFC 6522).

report = text for people, message/delivery-status, and the message or its header

With internationalised addresses the second part is message/global-delivery-status, and the third message/global or
message/global-headers (RFC 6533 §4); else the second part is ASCII, as RFC 3464 §2.1.2 wants it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from mailstead.formats.message.date import format_date

Action = Literal["failed", "delayed", "delivered", "relayed"]
RETURNED_LIMIT = 256 * 1024
"""Octets of a message that a report gives back at most."""


class RecipientStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one recipient; `status` is an enhanced code (RFC 3463), `advice` what a person can do."""

    address: str
    action: Action
    status: str
    original: str = ""
    remote_host: str = ""
    diagnostic: str = ""
    advice: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One notification; `returned` is the whole message or, when `header_only`, its header."""

    sender: str
    recipient: str
    hostname: str
    message_id: str
    now: float
    arrived_at: float
    recipients: Sequence[RecipientStatus]
    returned: bytes
    header_only: bool
    envelope_id: str = ""
    hold_request: str = ""
    will_retry_until: float | None = None


_SUBJECTS: dict[Action, str] = {
    "failed": "Your message could not be delivered",
    "delayed": "Your message is delayed",
    "delivered": "Your message was delivered",
    "relayed": "Your message was handed on",
}
_SENTENCES: dict[Action, str] = {
    "failed": "Your message could not be delivered to the following recipients, and it will not be tried again:",
    "delayed": "Your message has not been delivered yet to the following recipients. You need not send it again, it is\r\n"
    "tried for some days, and you are told if that fails:",
    "delivered": "Your message was delivered to the following recipients:",
    "relayed": "Your message was handed on for the following recipients, to a server that sends no further notice:",
}


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:900]


def compose_report(report: Report) -> bytes:
    """The notification as a message with CRLF lines. All recipients have one action."""
    action = report.recipients[0].action
    boundary = f"=_{report.message_id.partition('@')[0]}"
    header = (
        f"From: Mail Delivery System <{report.sender}>\r\nTo: {report.recipient}\r\n"
        f"Subject: {_SUBJECTS[action]}\r\nDate: {format_date(report.now)}\r\nMessage-ID: <{report.message_id}>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n\r\n'
    )
    lines = [_SENTENCES[action], ""]
    for recipient in report.recipients:
        lines.append(f"  {recipient.address}")
        if recipient.diagnostic:
            host = f"{recipient.remote_host} said: " if recipient.remote_host else ""
            lines.append(f"    {host}{_one_line(recipient.diagnostic)}")
        if recipient.advice:
            lines.append(f"    What that means: {_one_line(recipient.advice)}")
    text = f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    text += "\r\n".join(lines) + "\r\n\r\n"
    wide = not all(f"{one.address}{one.original}".isascii() for one in report.recipients)
    plain, encoding = ("delivery-status", "7bit") if not wide else ("global-delivery-status", "8bit")
    status = f"--{boundary}\r\nContent-Type: message/{plain}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    fields = _fields(report)
    status += fields if wide else fields.encode("ascii", "replace").decode("ascii")
    returned = report.returned
    kind = _RETURNED_TYPES[wide and _is_utf8(returned), report.header_only]
    tail = f"\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    if not returned.endswith(b"\n"):
        returned += b"\r\n"
    return (header + text + status + tail).encode() + returned + f"--{boundary}--\r\n".encode()


def _fields(report: Report) -> str:
    lines = [f"Reporting-MTA: dns; {report.hostname}"]
    if report.envelope_id:
        lines.append(f"Original-Envelope-Id: {_one_line(report.envelope_id)}")
    if report.hold_request:
        lines.append(f"Future-Release-Request: {_one_line(report.hold_request)}")  # RFC 4865 §5.1.2
    lines += [f"Arrival-Date: {format_date(report.arrived_at)}", ""]
    for recipient in report.recipients:
        if recipient.original:
            lines.append(f"Original-Recipient: {_one_line(recipient.original)}")
        kind = "rfc822" if recipient.address.isascii() else "utf-8"
        lines += [
            f"Final-Recipient: {kind}; {recipient.address}",
            f"Action: {recipient.action}",
            f"Status: {recipient.status}",
        ]
        if recipient.remote_host:
            lines.append(f"Remote-MTA: dns; {recipient.remote_host}")
        if recipient.diagnostic:
            lines.append(f"Diagnostic-Code: smtp; {_one_line(recipient.diagnostic)}")
        if report.will_retry_until is not None:
            lines.append(f"Will-Retry-Until: {format_date(report.will_retry_until)}")
        lines.append("")
    return "\r\n".join(lines) + "\r\n"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_RETURNED_TYPES = {
    (False, True): "text/rfc822-headers",
    (False, False): "message/rfc822",
    (True, True): "message/global-headers",
    (True, False): "message/global",
}
