"""SMTP sessions without sockets, and on real listeners, in every role."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from mailstead.foundation.net.connection import TLSInformation
from mailstead.foundation.net.server import ListenerTLS
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.routing.delivery import DirectDelivery
from mailstead.mail.routing.router import Router
from mailstead.mail.screening.personal import PersonalJunk
from mailstead.protocols.smtp.roles.lmtp import LmtpRole
from mailstead.protocols.smtp.roles.mx import MxRole
from mailstead.protocols.smtp.roles.role import Role
from mailstead.protocols.smtp.roles.submission import SubmissionRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.session import Session
from support.dialogue import Heard, listening
from support.forwarding import passing
from support.installation import HOSTNAME, Installation

RoleName = Literal["mx", "submission", "lmtp"]
ROLES: dict[RoleName, Callable[[SmtpServices], Role]] = {"mx": MxRole, "submission": SubmissionRole, "lmtp": LmtpRole}
TLS = TLSInformation("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)


class Smtp:
    """All roles over one installation, and its queue."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.queue = OutboundQueue(
            made.documents, made.bus, made.directory, made.folder / "queue", bytes(32), made.clock
        )
        personal = PersonalJunk(made.settings, made.junk.features)
        local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock, personal=personal)
        self.passing = passing(made)
        self.services = SmtpServices(
            directory=made.directory,
            authenticator=made.authenticator,
            router=Router(
                made.directory,
                local,
                self.queue,
                made.trace,
                made.clock,
                "mx",
                planner=self.passing.planner,
                forwarding=self.passing.forwarding,
            ),
            local=local,
            trace=made.trace,
            settings=made.settings,
            metrics=made.metrics,
            clock=made.clock,
            hostname=HOSTNAME,
            spool_folder=made.folder,
            mailboxes=made.mailboxes,
            planner=self.passing.planner,
        )

    def role(self, name: RoleName) -> Role:
        return ROLES[name](self.services)


@asynccontextmanager
async def smtp(made: Installation) -> AsyncIterator[Smtp]:
    opened = Smtp(made)
    await opened.queue.open()
    try:
        yield opened
    finally:
        opened.passing.signing.close()
        opened.queue.close()


async def _silent(_: float) -> bool:
    """Nothing is said before the greeting."""
    return False


class Dialogue(Heard):
    """Says bytes to a session and gives what it answered."""

    def __init__(self, role: Role, *, tls: bool = False, address: str = "192.0.2.1") -> None:
        super().__init__(address)
        self.ehlo = ""
        self.session = Session(role, self.peer, self, tls=TLS if tls else None, can_start_tls=True)

    async def open(self) -> None:
        """Hear the first words; we are silent till then."""
        await self.session.open(_silent)

    async def say(self, data: bytes) -> bytes:
        await self.session.receive(data)
        return self.take()


@asynccontextmanager
async def dialogue(role: Role, *, tls: bool = False, address: str = "192.0.2.1") -> AsyncIterator[Dialogue]:
    """A session that was greeted, whoever the peer is; ended at the end."""
    opened = Dialogue(role, tls=tls, address=address)
    opened.session.greet()
    opened.take()
    try:
        yield opened
    finally:
        opened.session.end()


def smtp_server(
    opened: Smtp, name: RoleName, tls: ListenerTLS = "starttls", host: str = "127.0.0.1"
) -> AbstractAsyncContextManager[tuple[int, Path]]:
    """A real listener: its port and the authority's certificate."""
    return listening(opened.made, name, smtp_handler(opened.role(name)), TOO_MANY, tls, host)
