"""What services are made from, on stores of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.services.certificate import TLS_FOLDER, ensure_certificate
from mailstead.services.definition import Wiring
from mailstead.services.stores import Stores
from mailstead.stores.scripts.memory import Memory
from mailstead.stores.scripts.scripts import Scripts
from support.forwarding import passing
from support.installation import HOSTNAME, installation


@asynccontextmanager
async def wired(folder: Path, clock: Clock, settings: Settings) -> AsyncIterator[Wiring]:
    """The stores of `installation` with a queue and certificates."""
    (folder / "spool").mkdir(exist_ok=True)
    ensure_certificate(settings, folder)
    async with installation(folder, settings, clock) as made:
        queue = OutboundQueue(made.documents, made.bus, made.directory, folder / "queue", bytes(32), clock)
        await queue.open()
        ways = passing(made)
        stores = Stores(
            settings=settings,
            data=folder,
            secret=bytes(32),
            clock=clock,
            metrics=made.metrics,
            documents=made.documents,
            bus=made.bus,
            directory=made.directory,
            authenticator=made.authenticator,
            mailboxes=made.mailboxes,
            trace=made.trace,
            queue=queue,
            resolver=Resolver(settings.server.dns_servers, settings.dns),
            scripts=Scripts(made.documents, made.directory, settings.sieve, clock),
            memory=Memory(made.documents, clock),
            planner=ways.planner,
            forwarding=ways.forwarding,
            signing=ways.signing,
            junk=made.junk,
        )
        contexts = TLSContexts(folder / TLS_FOLDER, settings.tls)
        yield Wiring(stores, contexts, made.metrics, HOSTNAME, frozenset({"scheduler"}))
        queue.close()
        ways.signing.close()
