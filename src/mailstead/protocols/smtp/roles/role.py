"""What a session asks its role."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.protocols.smtp.commands import Body, Mail, Rcpt
from mailstead.protocols.smtp.received import HeaderFacts
from mailstead.protocols.smtp.reply import Reply
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.transaction import Accepted, Transaction

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session


Verb = Callable[["Session", str], Awaitable[None]]
Listen = Callable[[float], Awaitable[bool]]
"""Waits so many seconds at most for the peer to say something; whether it did. What it said is read later."""


class Role(Protocol):
    """One role; the same object serves every session."""

    @property
    def services(self) -> SmtpServices:
        """What it works with."""
        ...

    @property
    def service(self) -> str:
        """Its name in traces and metrics."""
        ...

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """Its verbs and what carries each out."""
        ...

    @property
    def is_lmtp(self) -> bool:
        """Whether there is one reply per recipient, and LHLO (RFC 2033 §4)."""
        ...

    @property
    def offers_login(self) -> bool:
        """Whether AUTH is there (RFC 4954)."""
        ...

    @property
    def bodies(self) -> frozenset[Body]:
        """Values of BODY that are taken (RFC 6152, RFC 3030)."""
        ...

    @property
    def accepts_bare_newlines(self) -> bool:
        """Whether a message with a bare CR or LF is taken as it is."""
        ...

    def extensions(self, session: "Session") -> list[str]:
        """What it offers at EHLO beyond what every role does."""
        ...

    def count(self, outcome: str) -> None:
        """One more message, or refused recipient: "accepted", "refused" or "deferred"."""
        ...

    async def admit(self, session: "Session", listen: Listen) -> Reply | None:
        """Why this peer may not use the service at all, or None; before it is greeted."""
        ...

    async def sender(self, session: "Session", mail: Mail) -> Reply | None:
        """Why this sender is refused, or None."""
        ...

    async def recipient(self, session: "Session", rcpt: Rcpt) -> Accepted | Reply:
        """The recipient as it is accepted, or why not."""
        ...

    async def message(self, session: "Session", transaction: Transaction, facts: HeaderFacts) -> list[Reply]:
        """Deliver: one reply, or over LMTP one per accepted recipient. Positive ones only for what is durable."""
        ...


def envelope_recipient(rcpt: Rcpt, address: str) -> EnvelopeRecipient:
    """The recipient with its DSN parameters."""
    return EnvelopeRecipient(address, rcpt.notify, rcpt.original)
