"""The stores of an installation, opened in order and closed in the reverse: for services and for commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from mailstead.administration.actor import Administration
from mailstead.administration.backup.restoration import check_restored
from mailstead.administration.rotation import follow_rotations
from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.metrics import Metrics
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.routing.forwarding import Forwarding
from mailstead.mail.routing.plan import Planner
from mailstead.mail.routing.srs import Srs
from mailstead.mail.screening.junk.teacher import Teacher
from mailstead.mail.screening.screening import Junk
from mailstead.mail.webhooks.events import Events
from mailstead.services.hostname import host_name
from mailstead.services.secret import data_directory, server_secret
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.open import open_bus
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.documents.interface import Documents
from mailstead.stores.documents.open import open_documents
from mailstead.stores.events.deliveries import EventDeliveries
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.scripts.memory import Memory
from mailstead.stores.scripts.scripts import Scripts
from mailstead.stores.trace.trace import Trace


class Stores(msgspec.Struct, frozen=True):
    """Everything that keeps anything."""

    settings: Settings
    data: Path
    secret: bytes
    clock: Clock
    metrics: Metrics
    documents: Documents
    bus: Bus
    directory: Directory
    authenticator: Authenticator
    mailboxes: Mailboxes
    trace: Trace
    queue: OutboundQueue
    resolver: Resolver
    scripts: Scripts
    memory: Memory
    planner: Planner
    forwarding: Forwarding
    signing: Signing
    junk: Junk

    @property
    def administration(self) -> Administration:
        """What administrative actions work on."""
        return Administration(
            self.documents,
            self.directory,
            self.authenticator,
            self.settings,
            self.clock,
            self.mailboxes,
            self.bus,
        )

    @property
    def event_deliveries(self) -> EventDeliveries:
        """What hooks are told."""
        return EventDeliveries(self.documents, self.clock)

    @property
    def events(self) -> Events:
        """Tells hooks of domains."""
        return Events(self.directory, self.event_deliveries, self.bus, self.clock)


class Announcer:
    """Tells the bus of mailbox commits, which happen on threads; many of one turn become one event each."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def committed(self, mailbox_id: str, modseq: int) -> None:
        """Called on any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, mailbox_id, modseq)

    def _publish(self, mailbox_id: str, modseq: int) -> None:
        task = self._loop.create_task(self._bus.publish(f"mailbox.{mailbox_id}", b"%d" % modseq))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what is on its way."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))


def bus_url(settings: Settings) -> str:
    """The bus in use: what is in the memory of one process cannot be shared by several."""
    url = settings.server.bus_url
    return "unix:" if url == "memory:" and settings.server.workers > 1 else url


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Open all stores. Raises StoreUnavailableError, RestorationCutOffError, OSError."""
    data = data_directory(settings)
    check_restored(data)
    secret = server_secret(settings)
    clock = SystemClock()
    (data / "spool").mkdir(mode=0o700, exist_ok=True)
    async with AsyncExitStack() as stack:
        documents = open_documents(settings.server.documents_url, data, settings.documents)
        await documents.open()
        stack.push_async_callback(documents.close)
        bus = open_bus(bus_url(settings), data, settings.bus)
        await bus.open()
        stack.push_async_callback(bus.close)
        announcer = Announcer(bus)
        stack.push_async_callback(announcer.finish)
        trace = Trace(documents, settings.trace)
        await trace.open()
        stack.push_async_callback(trace.close)
        directory = Directory(documents, bus, settings, secret, clock)
        await directory.open()
        stack.push_async_callback(directory.close)
        authenticator = Authenticator(directory, bus, settings, clock)
        stack.callback(authenticator.close)
        junk = Junk(data, secret, settings)
        stack.push_async_callback(junk.close)
        teacher = Teacher(directory, settings, junk.features, junk.learning)
        mailboxes = Mailboxes(
            data / "mailboxes",
            settings,
            clock=clock,
            on_commit=announcer.committed,
            on_lessons=teacher.called,
        )
        stack.push_async_callback(mailboxes.close)
        teacher.follow(mailboxes)
        stack.push_async_callback(teacher.close)
        rotations = await follow_rotations(bus, mailboxes)
        stack.callback(rotations.close)
        queue = OutboundQueue(documents, bus, directory, data / "queue", secret, clock)
        await queue.open()
        stack.callback(queue.close)
        signing = Signing(directory, clock, on=settings.dkim.sign)
        stack.callback(signing.close)
        srs = Srs(secret, settings.forward.srs_lifetime, clock)
        identifier = settings.authentication.identifier or host_name(settings)
        yield Stores(
            settings=settings,
            data=data,
            secret=secret,
            clock=clock,
            metrics=Metrics(),
            documents=documents,
            bus=bus,
            directory=directory,
            authenticator=authenticator,
            mailboxes=mailboxes,
            trace=trace,
            queue=queue,
            resolver=Resolver(settings.server.dns_servers, settings.dns),
            scripts=Scripts(documents, directory, settings.sieve, clock),
            memory=Memory(documents, clock),
            planner=Planner(directory, srs, settings.forward),
            forwarding=Forwarding(directory, srs, signing, settings.forward, identifier),
            signing=signing,
            junk=junk,
        )
