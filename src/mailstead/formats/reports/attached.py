"""The report that a message brings, found by what is attached."""

from typing import Literal

import msgspec

from mailstead.formats.message.index import index_message
from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content
from mailstead.formats.reports.archive import CONTENT_LIMIT, unpacked
from mailstead.formats.reports.arf import FeedbackReport, parse_feedback
from mailstead.formats.reports.dmarc import AggregateReport, parse_aggregate
from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.tlsrpt import TlsReport, parse_tls_report

Kind = Literal["dmarc", "tls", "feedback"]

_TLS_TYPES = ("application/tlsrpt+gzip", "application/tlsrpt+json")
_DMARC_TYPES = (
    "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/xml", "text/xml",
)  # fmt: skip
_DMARC_NAMES = (".xml", ".xml.gz", ".zip")


class AttachedReport(msgspec.Struct, frozen=True):
    """A report with its kind; `content` is what it was read from, unpacked."""

    kind: Kind
    report: AggregateReport | TlsReport | FeedbackReport
    content: bytes


def attached_report(raw: bytes, limit: int = CONTENT_LIMIT) -> AttachedReport:
    """The first report in the message `raw`; nothing of it is unpacked beyond `limit` octets. Raises ReportError."""
    parts = index_message(raw).parts
    for part in parts:
        kind = _kind(part)
        if kind == "feedback":
            return AttachedReport(kind, parse_feedback(raw), raw)
        if kind is not None:
            content = unpacked(decode_content(raw[part.body_start : part.body_end], part.encoding), limit)
            report = parse_tls_report(content) if kind == "tls" else parse_aggregate(content)
            return AttachedReport(kind, report, content)
    raise ReportError("the message holds no report")


def _kind(part: Part) -> Kind | None:
    name = part.filename.lower()
    if part.type == "message/feedback-report":
        return "feedback"
    if part.type in _TLS_TYPES or name.endswith((".json", ".json.gz")):
        return "tls"
    if part.type in _DMARC_TYPES or (part.type == "application/octet-stream" and name.endswith(_DMARC_NAMES)):
        return "dmarc"
    return None
