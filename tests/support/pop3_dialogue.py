"""A POP3 session without sockets, and one on a real listener."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from mailstead.foundation.net.server import ListenerTLS
from mailstead.protocols.pop3.server import TOO_MANY, pop3_handler
from mailstead.protocols.pop3.session import Pop3Services, Session
from support.dialogue import Heard, listening
from support.installation import HOSTNAME, Installation


def pop3_services(made: Installation) -> Pop3Services:
    return Pop3Services(made.authenticator, made.mailboxes, made.bus, made.settings, made.metrics, HOSTNAME)


class Dialogue(Heard):
    """Says bytes to a session and gives what it answered."""

    def __init__(self, services: Pop3Services, *, tls: bool = True, name: str = "c1") -> None:
        super().__init__(connection=name)
        self.session = Session(services, self.peer, self, tls=tls, can_start_tls=True)
        self.session.greet()

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


def pop3_server(made: Installation, tls: ListenerTLS = "starttls") -> AbstractAsyncContextManager[tuple[int, Path]]:
    """A real listener on 127.0.0.1: its port and the authority's certificate."""
    return listening(made, "pop3", pop3_handler(pop3_services(made)), TOO_MANY, tls)
