"""A ManageSieve session without sockets, and one on a real listener."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailstead.foundation.net.server import LineServer, Listener
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.protocols.managesieve.server import TOO_MANY, sieve_handler
from mailstead.protocols.managesieve.session import Peer, Session, SieveServices
from mailstead.stores.scripts.scripts import Scripts
from support.installation import HOSTNAME, Installation


def sieve_services(made: Installation) -> SieveServices:
    async def record(address: str, action: str, **detail: Any) -> None:
        made.recorded.append((address, action, detail))

    scripts = Scripts(made.documents, made.directory, made.settings.sieve, made.clock)
    return SieveServices(made.authenticator, made.directory, scripts, made.settings, made.metrics, record)


class SieveDialogue:
    """Says bytes to a session and gives what it answered."""

    def __init__(self, services: SieveServices, *, tls: bool = True) -> None:
        self.sent: list[bytes] = []
        peer = Peer("c1", "192.0.2.1", False, self._hold)
        self.session = Session(services, peer, self, tls=tls, can_start_tls=True)
        self.session.greet()

    async def _hold(self, _: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    async def flush(self) -> None:
        return None

    def take(self) -> bytes:
        found = b"".join(self.sent)
        self.sent.clear()
        return found

    async def say(self, data: bytes) -> bytes:
        await self.session.receive(data)
        return self.take()


@asynccontextmanager
async def sieve_server(made: Installation) -> AsyncIterator[tuple[int, Path]]:
    """A real listener on 127.0.0.1: its port and the authority's certificate."""
    authority = ensure_local_authority(made.folder / "tls", (HOSTNAME, "localhost", "127.0.0.1"))
    server = LineServer(
        "sieve",
        sieve_handler(sieve_services(made)),
        [Listener("sieve", "127.0.0.1", 0, "starttls")],
        contexts=TLSContexts(made.folder / "tls", made.settings.tls),
        limits=made.settings.network,
        too_many=TOO_MANY,
        metrics=made.metrics,
    )
    ports = await server.start()
    try:
        yield ports["sieve"], authority
    finally:
        await server.drain(5)
