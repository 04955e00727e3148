"""The api service."""

import asyncio
from collections.abc import Mapping

import structlog

from mailstead.administration.transfer.desk import TransferDesk
from mailstead.interfaces.api.application import api_application
from mailstead.interfaces.api.live.sockets import Sockets
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identification
from mailstead.mail.outbound.letters import Letters
from mailstead.mail.scheduling.editor import CalendarEditor
from mailstead.mail.webhooks.post import Hooks
from mailstead.mail.webhooks.worker import EventWorker
from mailstead.services.backup import backups
from mailstead.services.definition import Wiring
from mailstead.services.delivery import implicit_scheduling, scheduling_delivery, submission_agent
from mailstead.services.doctor import examination
from mailstead.services.http import serve_http
from mailstead.services.lines import LineService, listener
from mailstead.services.policy import sending_policy
from mailstead.services.ready import Endpoint
from mailstead.services.scheduler.job import run_job
from mailstead.services.standing import installation_status
from mailstead.services.transfers import WithTransfers, transfer_desk
from mailstead.stores.access.passkeys import Passkeys
from mailstead.stores.access.sessions import Sessions
from mailstead.stores.access.tokens import Tokens
from mailstead.stores.sent.sent import SentMessages

log = structlog.get_logger("mailstead.events")


def api_services(wiring: Wiring, transfers: TransferDesk, service: str = "api") -> ApiServices:
    """What the API works with."""
    stores = wiring.stores
    return ApiServices(
        administration=stores.administration,
        identification=Identification(
            stores.directory,
            stores.authenticator,
            Tokens(stores.documents, stores.clock),
            Sessions(stores.documents, stores.clock),
            Passkeys(stores.documents, stores.clock),
        ),
        mailboxes=stores.mailboxes,
        calendars=CalendarEditor(
            implicit_scheduling(wiring, scheduling_delivery(wiring, service)),
            stores.mailboxes,
            stores.settings,
            stores.clock,
        ),
        agent=submission_agent(wiring, service),
        queue=stores.queue,
        trace=stores.trace,
        sent=SentMessages(stores.documents, stores.settings.trace.retention, stores.clock),
        events=stores.events,
        deliveries=stores.event_deliveries,
        bus=stores.bus,
        transfers=transfers,
        resolver=stores.resolver,
        proofs=sending_policy(stores, wiring.hostname).proofs,
        settings=stores.settings,
        metrics=stores.metrics,
        clock=stores.clock,
        hostname=wiring.hostname,
        sockets=Sockets(stores.settings.api.sockets),
        letters=Letters(stores.queue, stores.data / "spool", wiring.hostname, stores.clock),
        status=lambda: installation_status(wiring),
        run_job=lambda name: run_job(stores.documents, stores.bus, stores.clock.now(), name),
        examination=lambda: examination(stores, wiring.hostname),
        backups=backups(stores),
    )


class Api:
    """The API's listener, and the worker that tells hooks of events."""

    def __init__(self, lines: LineService, worker: EventWorker) -> None:
        self._lines = lines
        self._worker = worker
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


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the worker of events ended: hooks are told nothing any more", exc_info=error)


async def start(wiring: Wiring) -> WithTransfers:
    """Listen on the API's port, which takes TLS and, from this host, plain HTTP; deliver events."""
    stores = wiring.stores
    desk, transfers = transfer_desk(stores)
    app = api_application(api_services(wiring, desk))
    lines = await serve_http(wiring, "api", app, [listener(wiring, "api", stores.settings.port.api, "detect")])
    if wiring.is_worker:
        return WithTransfers(lines, transfers)  # events are delivered by the first process
    hooks = Hooks(stores.resolver, lambda: wiring.contexts.client(True), stores.settings.webhook, stores.clock)
    events = EventWorker(stores.event_deliveries, stores.directory, hooks, stores.bus, stores.clock)
    return WithTransfers(Api(lines, events), transfers)
