"""Mail to the reports' address: its report is read, kept and acted on; what is none is refused."""

import asyncio

import structlog

from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.reports.arf import FeedbackReport
from mailstead.formats.reports.attached import attached_report
from mailstead.formats.reports.dmarc import AggregateReport
from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.tlsrpt import TlsReport
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.errors import MailsteadError, PermanentError
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.results.field import ResultsSyntaxError, parse_results
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.outbound.submission import read_header
from mailstead.mail.reports.complaints import Complaints
from mailstead.mail.reports.received import ReceivedReports
from mailstead.stores.directory.directory import Directory

log = structlog.get_logger("mailstead.reports")
_ENCODED = 2  # a report in base64 and its message around it


class NoReportError(PermanentError):
    """The address takes reports alone."""

    smtp_code = 550
    enhanced_code = "5.6.0"
    public_text = "This address takes DMARC, TLS and abuse reports only, and the message holds none that can be read"


class NotAboutUsError(PermanentError):
    """A report about somebody else's domain."""

    smtp_code = 550
    enhanced_code = "5.7.1"
    public_text = "The report is about no domain of ours"


class ReportIntake:
    """Takes messages with reports. `identifier` is our name in Authentication-Results, "" where nothing is checked."""

    def __init__(
        self,
        received: ReceivedReports,
        complaints: Complaints,
        directory: Directory,
        settings: ReportsSettings,
        identifier: str,
    ) -> None:
        self._received = received
        self._complaints = complaints
        self._directory = directory
        self._settings = settings
        self._identifier = identifier.lower()

    async def take(self, address: str, message: Spool) -> RecipientResult:
        """What became of a message to the reports' address; durable where it says delivered."""
        try:
            text = await self._take(address, message)
        except MailsteadError as error:
            outcome = "deferred" if error.temporary else "failed"
            log.info("report not taken", address=address, why=str(error))
            return RecipientResult(
                address,
                "deferred" if outcome == "deferred" else "failed",
                error.smtp_code,
                error.enhanced_code,
                error.public_text,
            )
        return RecipientResult(address, "delivered", 250, "2.1.5", text)

    async def _take(self, address: str, message: Spool) -> str:
        if message.size > self._settings.size_limit * _ENCODED:
            raise NoReportError("The report is too large")
        try:
            attached = await asyncio.to_thread(lambda: attached_report(message.read(), self._settings.size_limit))
        except ReportError as error:
            raise NoReportError(detail=str(error)) from error
        domain = await self._about(attached.report, address)
        sender = await asyncio.to_thread(lambda: self._proved_sender(read_header(message)))
        kept = await self._received.keep(attached, domain, sender)
        if kept is None:
            return "The report was here before"
        acted = ""
        if isinstance(attached.report, FeedbackReport):
            acted = await self._complaints.heed(attached.report, domain)
        return f"The report was kept as {kept.id}{acted}"

    async def _about(self, report: AggregateReport | TlsReport | FeedbackReport, address: str) -> str:
        """Which of our domains it is about. Raises NotAboutUsError."""
        own = address.rpartition("@")[2].lower()
        match report:
            case AggregateReport():
                names = {report.policy.domain}
            case TlsReport():
                names = {one.policy.policy_domain.lower() for one in report.policies}
            case _:
                return own
        for name in sorted(names):
            parts = name.split(".")
            for start in range(len(parts) - 1):
                candidate = ".".join(parts[start:])
                if await self._directory.is_local_domain(candidate):
                    return candidate
        raise NotAboutUsError

    def _proved_sender(self, header: bytes) -> str:
        """The author's domain, where our own check found that DMARC passes.

        Our mail exchanger writes its results above its Received field: what stands below anybody may have written.
        """
        for name, value in iter_fields(header):
            if name.lower() == b"received":
                return ""
            if name.lower() != b"authentication-results":
                continue
            try:
                results = parse_results(unfold(value))
            except ResultsSyntaxError:
                return ""
            if results.identifier.lower() != self._identifier:
                return ""
            passed = [one for one in results.results if one.method == "dmarc" and one.result == "pass"]
            return passed[0].property("header.from").lower() if passed else ""
        return ""
