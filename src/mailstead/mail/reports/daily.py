"""Yesterday's reports, sent to those who ask for them: once each, however often the job runs."""

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import structlog

from mailstead.formats.reports.archive import packed
from mailstead.formats.reports.carrier import Carrier, compose_dmarc_carrier, compose_tls_carrier
from mailstead.formats.reports.dmarc import AggregateReport, format_aggregate
from mailstead.formats.reports.tlsrpt import (
    DateRange,
    FailureDetails,
    PolicyReport,
    ReportPolicy,
    Summary,
    TlsReport,
    format_tls_report,
)
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.http.request import HttpRequest, send_request
from mailstead.foundation.net.reach import Reach
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.reports.collector import CollectedResults, day_of
from mailstead.mail.reports.destinations import dmarc_destinations, tls_destinations
from mailstead.mail.reports.journal import Kind
from mailstead.mail.reports.rows import DmarcRow, TlsRow
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Domain

log = structlog.get_logger("mailstead.reports")
_DAY = 86400
_IN_MEMORY = 1024 * 1024
_ANSWER_LIMIT = 16 * 1024
_POST_TIMEOUT = 60.0
_PAUSES = 24 * 3600.0  # RFC 8460 §5.5: a day of further tries


class Sent(msgspec.Struct, frozen=True):
    """What came of a run: reports queued or posted, domains put off because DNS or a server did not answer."""

    reports: int = 0
    put_off: int = 0


class DailyReports:
    """Sends the reports of days that are over."""

    def __init__(
        self,
        results: CollectedResults,
        queue: OutboundQueue,
        directory: Directory,
        signing: Signing,
        resolver: Resolving,
        context: Callable[[], ssl.SSLContext],
        settings: ReportsSettings,
        hostname: str,
        spool_folder: Path,
        clock: Clock,
        *,
        private_networks: Sequence[str] = (),
    ) -> None:
        self._results = results
        self._queue = queue
        self._directory = directory
        self._signing = signing
        self._resolver = resolver
        self._reach = Reach(resolver, tuple(private_networks))
        self._context = context
        self._settings = settings
        self._hostname = hostname
        self._spool_folder = spool_folder
        self._clock = clock

    async def send(self) -> Sent:
        """Report on every day before today. Raises StoreUnavailableError, OSError."""
        submitter = await self._submitter()
        reports = put_off = 0
        today = day_of(self._clock.now())
        kinds: tuple[Kind, ...] = ("dmarc", "tls")
        for kind in kinds if submitter else ():
            for day, domain in await self._results.domains(kind, today):
                try:
                    if kind == "dmarc":
                        reports += await self._send_dmarc(submitter, day, domain)
                    else:
                        reports += await self._send_tls(submitter, day, domain)
                except ResolutionError as error:
                    put_off += 1
                    log.info("report put off", kind=kind, domain=domain, why=str(error))
                else:
                    await self._results.remove(kind, day, domain)
        return Sent(reports, put_off)

    async def _submitter(self) -> str:
        """The domain that reports come from: the one this host lies in, else the first; "" without any.

        Reports have to pass DMARC themselves (RFC 7489 §7.2.1.1), which our signature for it does.
        """
        domains = sorted(await self._directory.find(Domain), key=lambda one: (one.created_at, one.id))
        own = [one.id for one in domains if f".{self._hostname}".endswith(f".{one.id}")]
        return max(own, key=len) if own else domains[0].id if domains else ""

    def _carrier(self, submitter: str, day: str, domain: str, extension: str, content: bytes) -> Carrier:
        begin = begin_of(day)
        now = self._clock.now()
        unique = new_ulid(now)
        return Carrier(
            sender=f"{self._settings.mailbox}@{submitter}",
            recipient="",
            domain=domain,
            submitter=submitter,
            report_id=_report_id(day, domain, submitter),
            filename=f"{submitter}!{domain}!{begin}!{begin + _DAY - 1}!{unique}.{extension}",
            content=content,
            message_id=f"{unique}@{submitter}",
            now=now,
        )

    async def _send_dmarc(self, submitter: str, day: str, domain: str) -> int:
        destinations = await dmarc_destinations(self._resolver, domain)
        if not destinations:
            return 0
        rows = await self._results.rows("dmarc", day, domain, DmarcRow)
        if not rows:
            return 0
        report = AggregateReport(
            org_name=self._settings.organization or self._hostname,
            email=f"{self._settings.mailbox}@{submitter}",
            report_id=_report_id(day, domain, submitter).partition("@")[0],
            begin=begin_of(day),
            end=begin_of(day) + _DAY - 1,
            policy=rows[0][0].policy,
            records=tuple(msgspec.structs.replace(row.record, count=count) for row, count in rows),
        )
        carrier = self._carrier(submitter, day, domain, "xml.gz", packed(format_aggregate(report)))
        sent = 0
        for destination in destinations:
            message = compose_dmarc_carrier(msgspec.structs.replace(carrier, recipient=destination.address))
            if destination.size_limit and len(message) > destination.size_limit:
                log.info("report larger than its receiver takes", domain=domain, octets=len(message))
                continue
            sent += await self._enqueue(destination.address, message, f"dmarc {day} {domain}")
        return sent

    async def _send_tls(self, submitter: str, day: str, domain: str) -> int:
        destinations = await tls_destinations(self._resolver, domain)
        if not destinations:
            return 0
        rows = await self._results.rows("tls", day, domain, TlsRow)
        if not rows:
            return 0
        begin = begin_of(day)
        report = TlsReport(
            organization_name=self._settings.organization or self._hostname,
            date_range=DateRange(_moment(begin), _moment(begin + _DAY - 1)),
            contact_info=f"{self._settings.mailbox}@{submitter}",
            report_id=_report_id(day, domain, submitter),
            policies=tuple(policy_reports(domain, rows)),
        )
        carrier = self._carrier(submitter, day, domain, "json.gz", packed(format_tls_report(report)))
        sent = 0
        for uri in destinations:
            if uri.lower().startswith("mailto:"):
                address = unquote(uri[len("mailto:") :].partition("?")[0])
                message = compose_tls_carrier(msgspec.structs.replace(carrier, recipient=address))
                sent += await self._enqueue(address, message, f"tls {day} {domain}")
            else:
                sent += await self._post(uri, carrier.content, day)
        return sent

    async def _enqueue(self, recipient: str, message: bytes, name: str) -> int:
        """Queue a signed report, with the null return path: nobody waits for notices about it."""
        with Spool(_IN_MEMORY, self._spool_folder) as spool:
            spool.append(message)
            await self._signing.sign_for_author(spool)
            envelope = Envelope(sender="", recipients=(EnvelopeRecipient(recipient, frozenset({"NEVER"})),))
            trace_id = new_ulid(self._clock.now())
            queued = await self._queue.enqueue(envelope, spool, trace_id, once=f"report {name} {recipient.lower()}")
        return int(bool(queued))

    async def _post(self, uri: str, content: bytes, day: str) -> int:
        """POST a report to an https URI (RFC 8460 §5.4); for a day another try follows where it fails."""
        parts = urlsplit(uri)
        try:
            addresses = await self._reach.addresses(parts.hostname or "")
            answer = await send_request(
                HttpRequest(
                    method="POST",
                    host=parts.hostname or "",
                    port=parts.port or 443,
                    path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                    headers={"Content-Type": "application/tlsrpt+gzip", "User-Agent": "Mailstead"},
                    body=(content,),
                ),
                addresses,
                self._context(),
                timeout=_POST_TIMEOUT,
                size_limit=_ANSWER_LIMIT,
            )
            why = "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except (MailsteadError, OSError, ValueError) as error:
            why = str(error) or type(error).__name__
        if not why:
            return 1
        log.warning("TLS report not taken", uri=uri, why=why)
        if self._clock.now() < begin_of(day) + _DAY + _PAUSES:
            raise ResolutionError(detail=f"{uri}: {why}")
        return 0


def begin_of(day: str) -> int:
    """The first second of a day of UTC."""
    return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp())


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _report_id(day: str, domain: str, submitter: str) -> str:
    """The same for every copy of a report, so that its receiver can tell."""
    return f"{day}.{domain}@{submitter}"


def policy_reports(domain: str, rows: Sequence[tuple[TlsRow, int]]) -> list[PolicyReport]:
    """The rows by policy (RFC 8460 §4.4)."""
    by_policy: dict[ReportPolicy, list[tuple[TlsRow, int]]] = {}
    for row, count in rows:
        policy = ReportPolicy(row.policy_type, domain, row.policy_string, row.mx_host)
        by_policy.setdefault(policy, []).append((row, count))
    return [
        PolicyReport(
            policy=policy,
            summary=Summary(
                total_successful_session_count=sum(count for row, count in found if row.result == "success"),
                total_failure_session_count=sum(count for row, count in found if row.result != "success"),
            ),
            failure_details=tuple(
                FailureDetails(
                    result_type=row.result,
                    failed_session_count=count,
                    receiving_mx_hostname=row.receiving_mx,
                    receiving_ip=row.receiving_ip,
                    additional_information=row.detail,
                )
                for row, count in found
                if row.result != "success"
            ),
        )
        for policy, found in by_policy.items()
    ]
