"""The message that carries a report (RFC 7489 §7.2.1.1, RFC 8460 §5.3)."""

import base64

import msgspec

from mailstead.formats.message.date import format_date


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """A report, packed, on its way; `submitter` is the domain of `sender`, ids are without angle brackets."""

    sender: str
    recipient: str
    domain: str
    submitter: str
    report_id: str
    filename: str
    content: bytes
    message_id: str
    now: float


def _compose(carrier: Carrier, content_type: str, part_type: str, fields: str, text: str) -> bytes:
    boundary = f"=_{carrier.message_id.partition('@')[0]}"
    encoded = base64.encodebytes(carrier.content).decode("ascii").replace("\n", "\r\n")
    return (
        f"From: {carrier.sender}\r\nTo: {carrier.recipient}\r\n"
        f"Subject: Report Domain: {carrier.domain}\r\n Submitter: {carrier.submitter}\r\n"
        f" Report-ID: <{carrier.report_id}>\r\n"
        f"Date: {format_date(carrier.now)}\r\nMessage-ID: <{carrier.message_id}>\r\n{fields}"
        f'Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n boundary="{boundary}"\r\n'
        f"\r\n--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{text}\r\n"
        f"--{boundary}\r\nContent-Type: {part_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{carrier.filename}"\r\n\r\n{encoded}--{boundary}--\r\n'
    ).encode("ascii")


def compose_dmarc_carrier(carrier: Carrier) -> bytes:
    """The message with a DMARC aggregate report."""
    text = f"This is a DMARC aggregate report for {carrier.domain} by {carrier.submitter}."
    return _compose(carrier, "multipart/mixed;", "application/gzip", "", text)


def compose_tls_carrier(carrier: Carrier) -> bytes:
    """The message with a TLS report; it goes whatever the state of TLS at its receiver (RFC 8460 §5.3, RFC 8689 §3)."""
    text = f"This is an aggregate TLS report for {carrier.domain} from {carrier.submitter}."
    fields = f"TLS-Report-Domain: {carrier.domain}\r\nTLS-Report-Submitter: {carrier.submitter}\r\nTLS-Required: No\r\n"
    kind = 'multipart/report; report-type="tlsrpt";'
    return _compose(carrier, kind, "application/tlsrpt+gzip", fields, text)
