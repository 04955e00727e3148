"""Reports of others about our domains, kept for a while."""

import gzip
from hashlib import blake2b
from typing import Any

import msgspec

from mailstead.formats.reports.archive import unpacked
from mailstead.formats.reports.arf import FeedbackReport, parse_feedback
from mailstead.formats.reports.attached import AttachedReport, Kind
from mailstead.formats.reports.dmarc import AggregateReport, parse_aggregate
from mailstead.formats.reports.tlsrpt import TlsReport, parse_tls_report
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.errors import LimitExceededError, NotFoundError
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

_PACKED_LIMIT = 4 * 1024 * 1024
_DAY = 86400.0


class TooManyReportsError(LimitExceededError):
    """So many came today that no more are kept."""

    smtp_code = 452
    enhanced_code = "4.3.1"
    public_text = "No more reports are kept today"


class ReceivedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report without its rows. Numbers are of messages (DMARC), sessions (TLS), incidents (abuse).

    `sender` is the domain that is proved to have sent it, "" when none is.
    """

    id: str
    kind: Kind
    domain: str
    submitter: str
    report_id: str
    begin: float
    end: float
    at: float
    sender: str
    count: int
    failed: int
    text: str = ""


def _spec(kept: float) -> CollectionSpec:
    indexes = (Index(("domain", "at")), Index(("kind", "at")), Index(("at",), expire_after=kept))
    return CollectionSpec("received_report", indexes)


class ReceivedReports:
    """The collection; methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents, settings: ReportsSettings, clock: Clock) -> None:
        self._documents = documents
        self._settings = settings
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(_spec(self._settings.kept))

    async def keep(self, attached: AttachedReport, domain: str, sender: str) -> ReceivedReport | None:
        """Keep a report about `domain`; None when it was there already. Raises TooManyReportsError."""
        now = self._clock.now()
        collection = await self._collection()
        today = {"kind": attached.kind, "at": {"$gte": now - now % _DAY}}
        if await collection.count(today) >= self._settings.received:
            raise TooManyReportsError
        described = _described(attached, domain, sender, now)
        content = gzip.compress(attached.content, mtime=0)
        document: dict[str, Any] = msgspec.to_builtins(described)
        document["content"] = content if len(content) <= _PACKED_LIMIT else b""
        try:
            await collection.insert(document)
        except DuplicateError:
            return None
        return described

    async def list_all(
        self, *, kind: Kind | None = None, domain: str | None = None, since: float = 0.0, limit: int = 100
    ) -> list[ReceivedReport]:
        """Reports received since then, the newest first."""
        where: dict[str, Any] = {"at": {"$gte": since}}
        if kind is not None:
            where["kind"] = kind
        if domain is not None:
            where["domain"] = domain
        found = await (await self._collection()).find(where, order=[("at", -1)], limit=limit)
        return [_from_document(document) for document in found]

    async def show(self, identifier: str) -> tuple[ReceivedReport, AggregateReport | TlsReport | FeedbackReport | None]:
        """A report and its rows; None for one too large to be kept whole. Raises NotFoundError, ReportError."""
        document = await (await self._collection()).get(identifier)
        if document is None:
            raise NotFoundError(f"No report is kept as {identifier}")
        described = _from_document(document)
        content = bytes(document["content"])
        if not content:
            return described, None
        raw = unpacked(content, self._settings.size_limit + 1)
        match described.kind:
            case "dmarc":
                return described, parse_aggregate(raw)
            case "tls":
                return described, parse_tls_report(raw)
            case _:
                return described, parse_feedback(raw)


def _from_document(document: dict[str, Any]) -> ReceivedReport:
    return msgspec.convert({name: value for name, value in document.items() if name != "content"}, ReceivedReport)


def _described(attached: AttachedReport, domain: str, sender: str, now: float) -> ReceivedReport:
    begin = end = now
    text = ""
    match attached.report:
        case AggregateReport() as report:
            submitter, report_id, begin, end = report.org_name, report.report_id, report.begin, report.end
            count = sum(record.count for record in report.records)
            failed = sum(one.count for one in report.records if "pass" not in (one.dkim, one.spf))
        case TlsReport() as report:
            submitter, report_id = report.organization_name, report.report_id
            failed = sum(one.summary.total_failure_session_count for one in report.policies)
            count = failed + sum(one.summary.total_successful_session_count for one in report.policies)
            text = f"{report.date_range.start_datetime} to {report.date_range.end_datetime}"[:100]
        case report:
            submitter, report_id = report.reporting_mta or report.user_agent, ""
            count, failed, text = report.incidents, report.incidents, report.feedback_type
    name = f"{attached.kind}\0{domain}\0{submitter}\0{report_id}"
    if not report_id:
        name += blake2b(attached.content).hexdigest()
    return ReceivedReport(
        id=blake2b(name.encode(), digest_size=16).hexdigest(),
        kind=attached.kind,
        domain=domain,
        submitter=submitter[:200],
        report_id=report_id[:200],
        begin=float(begin),
        end=float(end),
        at=now,
        sender=sender,
        count=count,
        failed=failed,
        text=text,
    )
