"""Reports of others about our mail, as people see them."""

from collections import Counter

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin, require_domain
from mailstead.administration.aliases import find_domain
from mailstead.formats.reports.arf import FeedbackReport
from mailstead.formats.reports.attached import Kind
from mailstead.formats.reports.dmarc import AggregateReport
from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.tlsrpt import TlsReport
from mailstead.mail.reports.received import ReceivedReport, ReceivedReports

_SUMMED = 500
_DAY = 86400.0


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that came from one address in a domain's name, as receivers saw them; `refused`: or put into Junk."""

    address: str
    messages: int
    dkim_passed: int
    spf_passed: int
    refused: int


class TlsFailureSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions with our servers that failed alike."""

    result: str
    server: str
    sessions: int


class ReportsSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the reports of some days come to: senders by number of messages, and TLS failures."""

    domain: str
    days: float
    reports: int
    messages: int
    failed: int
    sources: tuple[SourceSummary, ...]
    sessions: int
    failures: tuple[TlsFailureSummary, ...]
    complaints: int


def _received(administration: Administration) -> ReceivedReports:
    return ReceivedReports(administration.documents, administration.settings.reports, administration.clock)


async def list_reports(
    administration: Administration,
    actor: Actor,
    *,
    domain: str | None = None,
    kind: Kind | None = None,
    since: float = 0.0,
    limit: int = 100,
) -> list[ReceivedReport]:
    """Reports received since then, the newest first: about one domain (its owner may see them), or all (admins).

    Raises NotFoundError, PermissionDeniedError.
    """
    await _require(administration, actor, domain)
    return await _received(administration).list_all(kind=kind, domain=domain, since=since, limit=limit)


async def show_report(
    administration: Administration, actor: Actor, identifier: str
) -> tuple[ReceivedReport, AggregateReport | TlsReport | FeedbackReport | None]:
    """One report with its rows; None for those of one that was too large to keep. Raises NotFoundError as above."""
    described, report = await _received(administration).show(identifier)
    await _require(administration, actor, described.domain)
    return described, report


async def summarize_reports(administration: Administration, actor: Actor, domain: str, days: float) -> ReportsSummary:
    """What came in about a domain in so many days. Raises as above."""
    await _require(administration, actor, domain)
    received = _received(administration)
    since = administration.clock.now() - days * _DAY
    found = await received.list_all(domain=domain, since=since, limit=_SUMMED)
    messages: Counter[str] = Counter()
    dkim: Counter[str] = Counter()
    spf: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    failures: Counter[tuple[str, str]] = Counter()
    for described in found:
        try:
            _, report = await received.show(described.id)
        except ReportError:
            continue  # kept by another version of this program
        match report:
            case AggregateReport():
                for record in report.records:
                    messages[record.source_ip] += record.count
                    dkim[record.source_ip] += record.count * (record.dkim == "pass")
                    spf[record.source_ip] += record.count * (record.spf == "pass")
                    refused[record.source_ip] += record.count * (record.disposition in ("quarantine", "reject"))
            case TlsReport():
                for policy in report.policies:
                    for one in policy.failure_details:
                        failures[one.result_type, one.receiving_mx_hostname] += one.failed_session_count
            case _:
                pass
    return ReportsSummary(
        domain=domain,
        days=days,
        reports=len(found),
        messages=sum(one.count for one in found if one.kind == "dmarc"),
        failed=sum(one.failed for one in found if one.kind == "dmarc"),
        sources=tuple(
            SourceSummary(
                address=address,
                messages=count,
                dkim_passed=dkim[address],
                spf_passed=spf[address],
                refused=refused[address],
            )
            for address, count in messages.most_common(200)
        ),
        sessions=sum(one.count for one in found if one.kind == "tls"),
        failures=tuple(
            TlsFailureSummary(result=result, server=server, sessions=count)
            for (result, server), count in failures.most_common(100)
        ),
        complaints=sum(one.count for one in found if one.kind == "feedback"),
    )


async def _require(administration: Administration, actor: Actor, domain: str | None) -> None:
    if domain is None:
        require_admin(actor)
    else:
        require_domain(actor, await find_domain(administration, domain))
