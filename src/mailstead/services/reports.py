"""Reports over an installation's stores: for services and for commands."""

from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.reports.collector import CollectedResults
from mailstead.mail.reports.complaints import Complaints
from mailstead.mail.reports.daily import DailyReports
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.reports.received import ReceivedReports
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.services.certificate import TLS_FOLDER
from mailstead.services.stores import Stores


def daily_reports(stores: Stores, hostname: str) -> DailyReports:
    """What sends the reports of days that are over."""
    settings = stores.settings
    contexts = TLSContexts(stores.data / TLS_FOLDER, settings.tls)
    return DailyReports(
        CollectedResults(stores.documents),
        stores.queue,
        stores.directory,
        stores.signing,
        stores.resolver,
        lambda: contexts.client(True),
        settings.reports,
        hostname,
        stores.data / "spool",
        stores.clock,
        private_networks=settings.webhook.private_networks,
    )


def report_intake(stores: Stores, hostname: str) -> ReportIntake:
    """What takes mail to the reports' address."""
    settings = stores.settings
    return ReportIntake(
        ReceivedReports(stores.documents, settings.reports, stores.clock),
        Complaints(SuppressionList(stores.documents, settings.sending, stores.clock), stores.trace, stores.events),
        stores.directory,
        settings.reports,
        (settings.authentication.identifier or hostname) if settings.authentication.check else "",
    )
