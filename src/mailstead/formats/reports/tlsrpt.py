"""TLS reports (RFC 8460 §4.4) and the records that ask for them (§3)."""

import re
from typing import Literal

import msgspec

from mailstead.formats.reports.errors import ReportError

_RECORD = re.compile(r"v=TLSRPTv1[ \t]*;(.*)", re.DOTALL)
_URIS_LIMIT = 10


class DateRange(msgspec.Struct, frozen=True, rename="kebab"):
    """Start and end in the form of RFC 3339."""

    start_datetime: str
    end_datetime: str


class ReportPolicy(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """The policy that sessions were held to."""

    policy_type: Literal["tlsa", "sts", "no-policy-found"]
    policy_domain: str
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] | str = ()  # the RFC's text says list, its example is one name


class Summary(msgspec.Struct, frozen=True, rename="kebab"):
    """Numbers of sessions."""

    total_successful_session_count: int
    total_failure_session_count: int


class FailureDetails(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True, kw_only=True):
    """Sessions that failed alike; `result_type` is a word of §4.3, strangers' words are kept."""

    result_type: str
    failed_session_count: int = 0
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_mx_helo: str = ""
    receiving_ip: str = ""
    additional_information: str = ""
    failure_reason_code: str = ""


class PolicyReport(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """What came of one policy."""

    policy: ReportPolicy
    summary: Summary
    failure_details: tuple[FailureDetails, ...] = ()


class TlsReport(msgspec.Struct, frozen=True, rename="kebab"):
    """A report of a sender about sessions with a domain's servers."""

    organization_name: str
    date_range: DateRange
    contact_info: str
    report_id: str
    policies: tuple[PolicyReport, ...]


def format_tls_report(report: TlsReport) -> bytes:
    """The report as JSON."""
    return msgspec.json.encode(report)


def parse_tls_report(data: bytes) -> TlsReport:
    """The report in JSON `data`. Raises ReportError."""
    try:
        report = msgspec.json.decode(data, type=TlsReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReportError(f"not a TLS report: {error}") from error
    for one in report.policies:
        counts = [one.summary.total_successful_session_count, one.summary.total_failure_session_count]
        counts += [details.failed_session_count for details in one.failure_details]
        if any(not 0 <= count < 2**53 for count in counts):
            raise ReportError("a number of sessions makes no sense")
    return report


def report_addresses(records: tuple[str, ...]) -> tuple[str, ...]:
    """The mailto and https URIs that the TXT records at `_smtp._tls` name; () unless exactly one asks (RFC 8460 §3)."""
    asking = [found[1] for found in map(_RECORD.fullmatch, records) if found is not None]
    if len(asking) != 1:
        return ()
    for piece in asking[0].split(";")[:50]:
        name, _, value = piece.partition("=")
        if name.strip() == "rua":
            uris = [uri.strip() for uri in value.split(",")[:_URIS_LIMIT]]
            return tuple(
                uri for uri in uris if re.fullmatch(r"(?:mailto:[^\s@]+@[^\s@]+|https://\S+)", uri, re.IGNORECASE)
            )
    return ()
