"""A ManageSieve session without sockets, and one on a real listener."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from mailstead.protocols.managesieve.server import TOO_MANY, sieve_handler
from mailstead.protocols.managesieve.session import Session, SieveServices
from mailstead.stores.scripts.scripts import Scripts
from support.dialogue import Heard, listening
from support.installation import Installation


def sieve_services(made: Installation) -> SieveServices:
    async def record(address: str, action: str, **detail: Any) -> None:
        made.recorded.append((address, action, detail))

    scripts = Scripts(made.documents, made.directory, made.settings.sieve, made.clock)
    return SieveServices(made.authenticator, made.directory, scripts, made.settings, made.metrics, record)


class SieveDialogue(Heard):
    """Says bytes to a session and gives what it answered."""

    def __init__(self, services: SieveServices, *, tls: bool = True) -> None:
        super().__init__()
        self.session = Session(services, self.peer, self, tls=tls, can_start_tls=True)
        self.session.greet()

    async def say(self, data: bytes) -> bytes:
        await self.session.receive(data)
        return self.take()


def sieve_server(made: Installation) -> AbstractAsyncContextManager[tuple[int, Path]]:
    """A real listener on 127.0.0.1: its port and the authority's certificate."""
    return listening(made, "sieve", sieve_handler(sieve_services(made)), TOO_MANY, "starttls")
