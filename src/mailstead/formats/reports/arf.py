"""Abuse reports (ARF, RFC 5965): somebody's complaint about a message of ours."""

import ipaddress

import msgspec

from mailstead.formats.message.header import header_end, iter_fields, unfold
from mailstead.formats.message.index import index_message
from mailstead.formats.message.section import decode_content
from mailstead.formats.reports.errors import ReportError

_REPEATED_LIMIT = 100
_TEXT_LIMIT = 1000
_ORIGINAL_TYPES = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global")


class FeedbackReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report; `original_header` is the header of the message it is about, as octets, b"" when it is not there."""

    feedback_type: str
    user_agent: str = ""
    version: str = ""
    original_mail_from: str = ""
    original_rcpt_to: tuple[str, ...] = ()
    original_envelope_id: str = ""
    arrival_date: str = ""
    source_ip: str = ""
    reporting_mta: str = ""
    reported_domain: tuple[str, ...] = ()
    reported_uri: tuple[str, ...] = ()
    incidents: int = 1
    auth_failure: str = ""
    original_header: bytes = b""


def parse_feedback(raw: bytes) -> FeedbackReport:
    """The report that the message `raw` is. Raises ReportError."""
    parts = index_message(raw).parts
    machine = next((part for part in parts if part.type == "message/feedback-report"), None)
    if machine is None:
        raise ReportError("the message holds no feedback report")
    block = decode_content(raw[machine.body_start : machine.body_end], machine.encoding)
    fields: dict[str, list[str]] = {}
    for name, value in iter_fields(block.lstrip(b"\r\n")):
        values = fields.setdefault(name.decode("ascii", "replace").lower(), [])
        if len(values) < _REPEATED_LIMIT:
            values.append(unfold(value).decode("utf-8", "replace")[:_TEXT_LIMIT])

    def one(name: str) -> str:
        return fields.get(name, [""])[0]

    if not one("feedback-type"):
        raise ReportError("Feedback-Type lacks")
    incidents = one("incidents")
    original = next((part for part in parts if part.type in _ORIGINAL_TYPES and part.parent == machine.parent), None)
    header = b""
    if original is not None:
        content = decode_content(raw[original.body_start : original.body_end], original.encoding)
        header = content[: header_end(content, 0, len(content))]
    return FeedbackReport(
        feedback_type=one("feedback-type").lower(),
        user_agent=one("user-agent"),
        version=one("version"),
        original_mail_from=one("original-mail-from").strip("<> "),
        original_rcpt_to=tuple(value.strip("<> ") for value in fields.get("original-rcpt-to", ())),
        original_envelope_id=one("original-envelope-id"),
        arrival_date=one("arrival-date") or one("received-date"),
        source_ip=_address(one("source-ip")),
        reporting_mta=one("reporting-mta"),
        reported_domain=tuple(fields.get("reported-domain", ())),
        reported_uri=tuple(fields.get("reported-uri", ())),
        incidents=int(incidents) if incidents.isascii() and incidents.isdecimal() and len(incidents) < 11 else 1,
        auth_failure=one("auth-failure").lower(),
        original_header=header,
    )


def _address(text: str) -> str:
    inner = text.strip().strip("[]")
    try:
        return str(ipaddress.ip_address(inner[5:] if inner.lower().startswith("ipv6:") else inner))
    except ValueError:
        return ""
