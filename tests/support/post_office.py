"""An installation with an outbound queue, a worker over real sockets and DNS, and a clock of the test's own."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.net.reach import Reach
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.bounce import Notices
from mailstead.mail.outbound.hooks import HookAttempts
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.records import Consignment
from mailstead.mail.outbound.routes import Routes
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.outbound.worker import OutboundWorker
from mailstead.mail.routing.delivery import DirectDelivery, LocalDelivery
from mailstead.mail.webhooks.post import Hooks
from support.dns_authority import Authority, dns_authority
from support.eventually import eventually
from support.forwarding import passing
from support.installation import HOSTNAME, Installation, installation

MESSAGE = b"From: alice@example.test\r\nSubject: out\r\n\r\n.a dot\r\nhello\r\n"


class PostOffice:
    """`settings` are the queue's; change them before the first worker starts."""

    def __init__(
        self,
        made: Installation,
        authority: Authority,
        clock: ManualClock,
        settings: QueueSettings,
        relay_url: str,
    ) -> None:
        self.made = made
        self.authority = authority
        self.clock = clock
        self.settings = settings
        self.relay_url = relay_url
        self.routes: Routes | None = None
        self.queue = OutboundQueue(made.documents, made.bus, made.directory, made.folder / "queue", bytes(32), clock)
        self.local: LocalDelivery = DirectDelivery(
            made.directory, made.mailboxes, made.trace, made.settings, made.clock
        )
        self.passing = passing(made)
        self._workers: list[tuple[OutboundWorker, asyncio.Task[None]]] = []

    def transport(self) -> Transport:
        tls = self.made.folder / "tls"
        ensure_local_authority(tls, (HOSTNAME, "localhost"))
        resolver = Resolver((self.authority.address,), DnsSettings(), self.clock)
        return Transport(
            resolver,
            TLSContexts(tls, self.made.settings.tls),
            self.settings,
            HOSTNAME,
            self.relay_url,
            routes=self.routes,
            reach=Reach(resolver, self.made.settings.forward.private_networks),
        )

    def hooks(self) -> HookAttempts:
        tls = TLSContexts(self.made.folder / "tls", self.made.settings.tls)
        resolver = Resolver((self.authority.address,), DnsSettings(), self.clock)
        settings = self.made.settings
        sender = Hooks(resolver, lambda: tls.client(True), settings.webhook, self.clock)
        return HookAttempts(sender, self.made.directory, settings, HOSTNAME)

    def start_worker(self) -> OutboundWorker:
        made = self.made
        worker = OutboundWorker(
            self.queue,
            self.transport(),
            self.local,
            made.directory,
            Notices(self.queue, made.directory, HOSTNAME, self.clock),
            made.bus,
            made.trace,
            self.settings,
            self.clock,
            planner=self.passing.planner,
            forwarding=self.passing.forwarding,
            hooks=self.hooks(),
        )
        self._workers.append((worker, asyncio.get_running_loop().create_task(worker.run())))
        return worker

    async def kill_worker(self) -> None:
        """End the worker and all it does where they stand, as a crash would: nothing more is written."""
        _, run = self._workers.pop()
        tasks = {one for one in asyncio.all_tasks() if "OutboundWorker." in str(one.get_coro())}
        for task in {run, *tasks}:
            task.cancel()
        await asyncio.wait({run, *tasks})

    def check(self) -> None:
        """Raises what ended a worker that was not stopped."""
        for _, run in self._workers:
            if run.done():
                run.result()

    async def stop(self, timeout: float = 10) -> None:
        while self._workers:
            worker, run = self._workers.pop()
            await worker.drain(timeout)
            await run

    async def send(
        self, *addresses: str, sender: str = "alice@example.test", message: bytes = MESSAGE, **envelope: Any
    ) -> str:
        recipients = tuple(EnvelopeRecipient(address) for address in addresses)
        return await self.enqueue(Envelope(sender=sender, recipients=recipients, **envelope), message)

    async def enqueue(self, envelope: Envelope, message: bytes = MESSAGE) -> str:
        with Spool(10_000_000, self.made.folder) as spool:
            spool.append(message)
            return await self.queue.enqueue(envelope, spool, "trace1")

    async def pass_time(self, seconds: float) -> None:
        """Let time go by, and the worker notice."""
        self.clock.advance(seconds)
        await self.queue.announce([])

    async def waiting(self) -> Sequence[Consignment]:
        return await self.queue.list_all()

    async def emptied(self) -> None:
        """Wait until nothing is queued, nor any file kept."""

        async def is_empty() -> bool:
            return await self.queue.count() == 0 and not list(self.queue.files.folder.glob("*.eml"))

        await eventually(is_empty)

    async def one(self) -> Consignment:
        """The only consignment there is."""
        (found,) = await self.waiting()
        return found

    async def deferred(self, attempts: int = 1) -> Consignment:
        """The only consignment, once it waits after so many attempts."""

        async def is_waiting() -> bool:
            found = await self.waiting()
            return len(found) == 1 and found[0].state == "ready" and found[0].attempts == attempts

        await eventually(is_waiting)
        return await self.one()

    async def trace(self) -> list[str]:
        await self.made.trace.flush()
        return [entry.text for entry in await self.made.trace.find("trace1")]


ZONE = {
    "remote.test": {"MX": "10 mx.remote.test."},
    "mx.remote.test": {"A": "127.0.0.1"},
    "other.test": {"MX": "10 mx.other.test."},
    "mx.other.test": {"A": "127.0.0.1"},
}


@asynccontextmanager
async def post_office(
    folder: Path,
    port: int,
    documents_url: str = "sqlite:",
    zone: Any = None,
    relay_url: str = "",
    whole: Settings | None = None,
    **settings: Any,
) -> AsyncIterator[PostOffice]:
    """`settings` are the queue's, `whole` all others."""
    clock = ManualClock(time.time())
    queue_settings = QueueSettings(**({"remote_port": port, "poll": 60.0, "command_timeout": 20.0} | settings))
    with dns_authority(ZONE if zone is None else zone) as authority:
        async with installation(folder, whole, clock=clock, documents_url=documents_url) as made:
            office = PostOffice(made, authority, clock, queue_settings, relay_url)
            await office.queue.open()
            try:
                yield office
            finally:
                await office.stop()
                office.passing.signing.close()
                office.queue.close()
