"""A POP3 session without sockets, and one on a real listener."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from mailstead.foundation.net.server import LineServer, Listener
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.protocols.pop3.server import TOO_MANY, pop3_handler
from mailstead.protocols.pop3.session import Peer, Pop3Services, Session
from support.installation import HOSTNAME, Installation


def pop3_services(made: Installation) -> Pop3Services:
    return Pop3Services(made.authenticator, made.mailboxes, made.bus, made.settings, made.metrics, HOSTNAME)


class Dialogue:
    """Says bytes to a session and gives what it answered."""

    def __init__(self, services: Pop3Services, *, tls: bool = True, name: str = "c1") -> None:
        self.sent: list[bytes] = []
        self.flushes = 0
        peer = Peer(name, "192.0.2.1", False, self._hold)
        self.session = Session(services, peer, self, tls=tls, can_start_tls=True)
        self.session.greet()

    async def _hold(self, _: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writelines(self, data: Iterable[bytes]) -> None:
        self.sent.extend(data)

    async def flush(self) -> None:
        self.flushes += 1

    def take(self) -> bytes:
        found = b"".join(self.sent)
        self.sent.clear()
        return found

    async def say(self, data: bytes) -> bytes:
        await self.session.receive(data)
        return self.take()


@asynccontextmanager
async def dialogue(made: Installation, *, tls: bool = True, name: str = "c1") -> AsyncIterator[Dialogue]:
    """A session that was greeted; ended at the end."""
    opened = Dialogue(pop3_services(made), tls=tls, name=name)
    opened.take()
    try:
        yield opened
    finally:
        await opened.session.end()


@asynccontextmanager
async def pop3_server(
    made: Installation, tls: Literal["none", "starttls", "implicit"] = "starttls"
) -> AsyncIterator[tuple[int, Path]]:
    """A real listener on 127.0.0.1: its port and the authority's certificate."""
    authority = ensure_local_authority(made.folder / "tls", (HOSTNAME, "localhost", "127.0.0.1"))
    server = LineServer(
        "pop3",
        pop3_handler(pop3_services(made)),
        [Listener("pop3", "127.0.0.1", 0, tls)],
        contexts=TLSContexts(made.folder / "tls", made.settings.tls),
        limits=made.settings.network,
        too_many=TOO_MANY,
        metrics=made.metrics,
    )
    ports = await server.start()
    try:
        yield ports["pop3"], authority
    finally:
        await server.drain(5)
