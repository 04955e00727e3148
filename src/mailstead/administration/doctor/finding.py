"""What a check finds, and what it works on."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import msgspec

from mailstead.administration.actor import Administration
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.lookups import addresses
from mailstead.foundation.dns.resolver import InvalidNameError, Resolver
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.stores.directory.records import Domain

Status = Literal["ok", "unknown", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `fix` says what to do, "" when there is nothing to be done."""

    check: str
    status: Status
    subject: str
    text: str
    fix: str = ""


class Listening(msgspec.Struct, frozen=True):
    """Where a service of this installation answers."""

    name: str
    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks work on. `time_port`: of NTP servers, `inbound_port`: where others bring their mail."""

    administration: Administration
    resolver: Resolver
    contexts: TLSContexts
    queue: OutboundQueue
    hostname: str
    data: Path
    listening: tuple[Listening, ...]
    time_port: int = 123
    inbound_port: int = 25

    async def domains(self) -> list[Domain]:
        """All domains served here."""
        return await self.administration.directory.find(Domain)

    async def public_addresses(self) -> list[str]:
        """The host's addresses, by setting or as DNS has them. Raises ResolutionError."""
        settings = self.administration.settings
        if settings.server.addresses:
            return list(settings.server.addresses)
        try:
            return await addresses(self.resolver, self.hostname)
        except InvalidNameError:
            return []


Run = Callable[[Examination], Awaitable[list[Finding]]]


class Check(msgspec.Struct, frozen=True):
    """One entry of the table."""

    name: str
    purpose: str
    run: Run


def unresolved(check: str, subject: str, error: ResolutionError) -> Finding:
    """DNS did not answer."""
    return Finding(
        check=check,
        status="unknown",
        subject=subject,
        text=f"DNS did not answer: {error.detail or error}",
        fix="Look whether the DNS servers of this machine answer (MAILSTEAD_DNS_SERVERS).",
    )
