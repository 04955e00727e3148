"""The smtp service: submission, and the workers of the outbound queue."""

import asyncio
from collections.abc import Mapping

import structlog

from mailstead.foundation.net.reach import Reach
from mailstead.mail.authentication.mtasts.discover import StsDiscovery
from mailstead.mail.outbound.bounce import Notices
from mailstead.mail.outbound.hooks import HookAttempts
from mailstead.mail.outbound.kept_policies import KeptPolicies
from mailstead.mail.outbound.routes import Routes
from mailstead.mail.outbound.telling import Telling
from mailstead.mail.outbound.tls_policies import TlsPolicies
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.outbound.worker import OutboundWorker
from mailstead.mail.reports.collector import RESULTS, ResultCollector
from mailstead.mail.sending.aftermath import Aftermath
from mailstead.mail.sending.return_path import Verp
from mailstead.mail.webhooks.post import Hooks
from mailstead.protocols.smtp.roles.submission import SubmissionRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.services.definition import Wiring
from mailstead.services.delivery import local_delivery, smtp_services
from mailstead.services.lines import LineService, listener, serve_lines
from mailstead.services.policy import sending_policy
from mailstead.services.ready import Endpoint

log = structlog.get_logger("mailstead.queue")


class Smtp:
    """Submission listeners and queue workers."""

    def __init__(self, lines: LineService, worker: OutboundWorker, collector: ResultCollector) -> None:
        self._lines = lines
        self._worker = worker
        self._collector = collector
        self._task = asyncio.get_running_loop().create_task(worker.run())
        self._task.add_done_callback(_report)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._lines.endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await asyncio.gather(self._lines.drain(timeout), self._worker.drain(timeout))
        await self._task
        await self._collector.close()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the queue worker ended: nothing is sent any more", exc_info=error)


async def start(wiring: Wiring) -> Smtp:
    """Listen on both submission ports and start the workers."""
    stores = wiring.stores
    settings = stores.settings
    policy = sending_policy(stores, wiring.hostname)
    services = smtp_services(wiring, "submission", prepare=stores.signing.sign_for_author, sending=policy)
    ports = settings.port
    listeners = [
        listener(wiring, "submission", ports.submission, "starttls"),
        listener(wiring, "submissions", ports.submissions, "implicit"),
    ]
    lines = await serve_lines(wiring, "submission", smtp_handler(SubmissionRole(services)), listeners, TOO_MANY)
    sts = StsDiscovery(
        stores.resolver,
        lambda: wiring.contexts.client(True),
        KeptPolicies(stores.documents),
        settings.mta_sts,
        stores.clock,
    )
    collector = ResultCollector(stores.documents, settings.reports, stores.clock, stores.data / RESULTS)
    await collector.recover()
    worker = OutboundWorker(
        stores.queue,
        Transport(
            stores.resolver,
            wiring.contexts,
            settings.queue,
            wiring.hostname,
            routes=Routes(stores.directory, settings.sending, settings.server.relay_url),
            policies=TlsPolicies(stores.resolver, sts, stores.clock),
            reach=Reach(stores.resolver, settings.forward.private_networks),
            results=collector,
            verp=Verp(stores.directory.verp_secret) if settings.sending.return_path == "verp" else None,
        ),
        local_delivery(wiring),
        stores.directory,
        Notices(stores.queue, stores.directory, wiring.hostname, stores.clock),
        stores.bus,
        stores.trace,
        settings.queue,
        stores.clock,
        Aftermath(policy.suppressions),
        telling=Telling(stores.events, stores.bus, stores.clock),
        planner=stores.planner,
        forwarding=stores.forwarding,
        hooks=HookAttempts(
            Hooks(stores.resolver, lambda: wiring.contexts.client(True), settings.webhook, stores.clock),
            stores.directory,
            settings,
            settings.authentication.identifier or wiring.hostname,
        ),
    )
    return Smtp(lines, worker, collector)
