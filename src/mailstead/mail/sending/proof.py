"""Whether DNS shows that a domain may be sent for from here: SPF, DKIM and DMARC, without which mail is not believed.

Kept with the domain, looked at again by the scheduler, and at once (but at most once a minute) when somebody wants to
send and it was not right yet. DNS that does not answer changes nothing.
"""

from collections.abc import Sequence

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.resolver import InvalidNameError, Resolver
from mailstead.mail.authentication.spf.check import Client, check_spf, client_address
from mailstead.stores.bus.interface import Bus, BusLostError
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import DnsProof, Domain
from mailstead.stores.documents.interface import ConflictError

_AGAIN = 60.0
_SPF_TIMEOUT = 10.0
_SPECIAL_USE = ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")


def is_special_use(domain: str) -> bool:
    """Whether a name can never be in public DNS (RFC 6761 §6): nothing is to be proved for it."""
    return any(domain == name or domain.endswith(f".{name}") for name in _SPECIAL_USE)


async def lacking_records(
    resolver: Resolver, domain: Domain, hostname: str, sources: Sequence[str], now: float
) -> list[str]:
    """What lacks for sending, in words; [] when all is right. Raises ResolutionError when DNS does not answer.

    `sources` are the public addresses mail leaves from; () asks for an SPF record alone, whatever it says.
    """
    found: list[str] = []
    name = domain.id
    spf = [text for text in (await resolver.query(name, "TXT")).records if _is_spf(text)]
    if len(spf) != 1:
        found.append(f"{len(spf)} SPF records at {name}, one is needed")
    else:
        for source in sources:
            client = Client(client_address(source), hostname, f"postmaster@{name}", hostname)
            result = await check_spf(resolver, client, now=now, timeout=_SPF_TIMEOUT)
            if result.result in ("fail", "softfail", "permerror", "neutral"):
                found.append(f"SPF of {name} says {result.result} for {source}")
    signing = [key for key in domain.dkim_keys if key.retired_at is None and not key.is_waiting]
    missing = []
    for key in signing:
        place = f"{key.selector}._domainkey.{name}"
        if key.public_record not in (await resolver.query(place, "TXT")).records:
            missing.append(f"the DKIM key at {place}")
    if signing and len(missing) == len(signing):
        found += missing
    policies = [text for text in (await resolver.query(f"_dmarc.{name}", "TXT")).records if _is_dmarc(text)]
    if len(policies) != 1:
        found.append(f"{len(policies)} DMARC records at _dmarc.{name}, one is needed")
    return found


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def _is_dmarc(text: str) -> bool:
    return text.replace(" ", "").startswith("v=DMARC1;") or text.strip() == "v=DMARC1"


async def own_addresses(resolver: Resolver, hostname: str) -> list[str]:
    """The host's public addresses as DNS has them. Raises ResolutionError."""
    found: list[str] = []
    for kind in ("A", "AAAA"):
        try:
            found += (await resolver.query(hostname, kind)).records
        except InvalidNameError:
            return []
    return found


class Proofs:
    """The state of each domain's proof."""

    def __init__(
        self, directory: Directory, bus: Bus, resolver: Resolver, hostname: str, clock: Clock, *, is_relayed: bool
    ) -> None:
        self._directory = directory
        self._bus = bus
        self._resolver = resolver
        self._hostname = hostname
        self._clock = clock
        self._is_relayed = is_relayed

    async def is_proved(self, domain: Domain, grace: float) -> bool:
        """Whether the domain may send; looks at DNS when it was not right the last time."""
        if _holds(domain.proof, grace):
            return True
        try:
            first = await self._bus.increment(f"sending.proof.{domain.id}", _AGAIN) == 1
        except BusLostError:
            first = False
        return first and _holds((await self.look(domain)).proof, grace)

    async def look(self, domain: Domain) -> Domain:
        """Look at DNS now and write down what it says; unchanged where it does not answer."""
        try:
            relayed = self._is_relayed or bool(domain.relay)
            sources = [] if relayed else await own_addresses(self._resolver, self._hostname)
            lacking = await lacking_records(self._resolver, domain, self._hostname, sources, self._clock.now())
        except ResolutionError:
            return domain
        now = self._clock.now()
        proof = DnsProof(
            proved_at=domain.proof.proved_at if lacking else now, checked_at=now, lacking=tuple(lacking[:20])
        )
        try:
            return await self._directory.replace(msgspec.structs.replace(domain, proof=proof))
        except ConflictError:
            return msgspec.structs.replace(domain, proof=proof)  # somebody changed it; the next look writes it down


def _holds(proof: DnsProof, grace: float) -> bool:
    if proof.proved_at is None:
        return False
    return not proof.lacking or proof.checked_at - proof.proved_at < grace
