"""Which way local mail takes: directly in the storage service's process, else over LMTP to it."""

from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.reports.collector import ResultCollector
from mailstead.mail.reports.delivery import DeliveryWithReports
from mailstead.mail.routing.delivery import DirectDelivery, LocalDelivery
from mailstead.mail.routing.external_lists import ExternalLists
from mailstead.mail.routing.filter import Filter
from mailstead.mail.routing.lmtp_delivery import LmtpDelivery, LmtpTarget
from mailstead.mail.routing.router import Prepare, Router
from mailstead.mail.routing.vacation import AliasResponder, Responder
from mailstead.mail.scheduling.arrival import Invitations
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.mail.scheduling.implicit import ImplicitScheduling
from mailstead.mail.screening.personal import PersonalJunk
from mailstead.mail.screening.screening import Screening
from mailstead.mail.sending.policy import SendingPolicy
from mailstead.mail.sending.return_path import Verp
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.services.definition import Wiring
from mailstead.services.policy import sending_policy
from mailstead.services.reports import report_intake

LMTP_SOCKET = "lmtp.sock"


def local_delivery(wiring: Wiring) -> LocalDelivery:
    """The way into mailboxes from this process, and of reports to the server itself."""
    stores = wiring.stores
    intake = report_intake(stores, wiring.hostname)
    return DeliveryWithReports(
        _into_mailboxes(wiring),
        intake,
        stores.trace,
        stores.clock,
        verp=Verp(stores.directory.verp_secret),
        suppressions=SuppressionList(stores.documents, stores.settings.sending, stores.clock),
    )


def _into_mailboxes(wiring: Wiring) -> LocalDelivery:
    stores = wiring.stores
    if "storage" in wiring.together:
        filtering = Filter(
            stores.scripts,
            stores.memory,
            stores.mailboxes,
            stores.queue,
            stores.settings,
            stores.clock,
            wiring.hostname,
            stores.forwarding,
            ExternalLists(stores.directory, stores.mailboxes, stores.settings.dav),
        )
        parts = (
            stores.directory,
            stores.mailboxes,
            stores.trace,
            stores.settings,
            stores.clock,
            filtering,
            stores.events,
            PersonalJunk(stores.settings, stores.junk.features),
        )
        calendars = Invitations(
            _scheduling(wiring, "storage", DirectDelivery(*parts)), stores.settings, wiring.hostname
        )
        return DirectDelivery(*parts, calendars)
    return LmtpDelivery(LmtpTarget(f"unix:{stores.data / LMTP_SOCKET}", 0), wiring.hostname)


def mail_router(wiring: Wiring, service: str, local: LocalDelivery, prepare: Prepare | None = None) -> Router:
    """What takes messages in; `prepare` is done to each before it is routed."""
    stores = wiring.stores
    return Router(
        stores.directory,
        local,
        stores.queue,
        stores.trace,
        stores.clock,
        service,
        prepare=prepare,
        planner=stores.planner,
        forwarding=stores.forwarding,
        responder=AliasResponder(
            Responder(
                stores.memory,
                stores.clock,
                wiring.hostname,
                stores.settings.authentication.identifier or wiring.hostname,
            ),
            stores.queue,
            stores.clock,
            stores.data / "spool",
        ),
    )


def submission_agent(wiring: Wiring, service: str, local: LocalDelivery | None = None) -> SubmissionAgent:
    """What takes messages that are written here: in the web, over the API, by calendars."""
    stores = wiring.stores
    way = local_delivery(wiring) if local is None else local
    return SubmissionAgent(
        stores.directory,
        mail_router(wiring, service, way, stores.signing.sign_for_author),
        stores.trace,
        stores.settings,
        wiring.hostname,
        stores.data / "spool",
        stores.clock,
        sending_policy(stores, wiring.hostname),
    )


def scheduling_delivery(wiring: Wiring, service: str) -> SchedulingDelivery:
    """What carries invitations and answers."""
    return _scheduling(wiring, service, local_delivery(wiring))


def _scheduling(wiring: Wiring, service: str, local: LocalDelivery) -> SchedulingDelivery:
    stores = wiring.stores
    agent = submission_agent(wiring, service, local)
    return SchedulingDelivery(stores.directory, stores.mailboxes, stores.settings, stores.clock, wiring.hostname, agent)


def implicit_scheduling(wiring: Wiring, delivery: SchedulingDelivery) -> ImplicitScheduling:
    """What decides when objects of calendars change."""
    stores = wiring.stores
    return ImplicitScheduling(delivery, stores.directory, stores.mailboxes, stores.settings, stores.clock)


def smtp_services(
    wiring: Wiring,
    service: str,
    *,
    authentication: InboundAuthentication | None = None,
    screening: Screening | None = None,
    prepare: Prepare | None = None,
    sending: SendingPolicy | None = None,
    collector: ResultCollector | None = None,
) -> SmtpServices:
    """What SMTP sessions work with; `prepare` is done to each message before it is routed."""
    stores = wiring.stores
    local = local_delivery(wiring)
    return SmtpServices(
        directory=stores.directory,
        authenticator=stores.authenticator,
        router=mail_router(wiring, service, local, prepare),
        local=local,
        trace=stores.trace,
        settings=stores.settings,
        metrics=stores.metrics,
        clock=stores.clock,
        hostname=wiring.hostname,
        spool_folder=stores.data / "spool",
        mailboxes=stores.mailboxes,
        authentication=authentication,
        screening=screening,
        own=wiring.own,
        sending=sending,
        planner=stores.planner,
        collector=collector,
    )
