"""What lists in DNS say about a client (RFC 5782)."""

import asyncio
import ipaddress
from collections.abc import Sequence

import msgspec
import structlog

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.lists import DnsList, means_refused, parse_list, reversed_address
from mailstead.mail.authentication.resolving import Resolving, lookup

log = structlog.get_logger("mailstead.screening")
_TRUST = {0: 0.5, 1: 1.0, 2: 2.0, 3: 4.0}  # dnswl.org: the last octet of an answer is how far a host is trusted


class Listed(msgspec.Struct, frozen=True):
    """One list that has the client, and its answer."""

    zone: str
    answer: str
    points: float


class DnsLists:
    """Asks lists; answers are cached by the resolver. A list that refuses us is told of in the log once."""

    def __init__(self, resolver: Resolving, names: Sequence[str]) -> None:
        self._resolver = resolver
        self._lists = tuple(parse_list(name) for name in names)
        self._refusing: set[str] = set()

    @property
    def refusing(self) -> frozenset[str]:
        """Lists whose last answer was that they do not answer us."""
        return frozenset(self._refusing)

    async def find(self, address: str) -> tuple[Listed, ...]:
        """The lists that have `address`. A list that does not answer has nobody. Raises ValueError for no address."""
        name = reversed_address(address)
        found = await asyncio.gather(*(self._ask(one, name) for one in self._lists))
        return tuple(one for one in found if one is not None)

    async def _ask(self, asked: DnsList, name: str) -> Listed | None:
        try:
            answer = await lookup(self._resolver, f"{name}.{asked.zone}", "A")
        except ResolutionError:
            return None
        for record in answer.records:
            address = ipaddress.IPv4Address(record)
            if means_refused(address):
                self._note_refused(asked.zone, record)
                return None
        self._refusing.discard(asked.zone)
        for record in answer.records:
            if asked.counts(ipaddress.IPv4Address(record)):
                return Listed(asked.zone, record, asked.points)
        return None

    def _note_refused(self, zone: str, answer: str) -> None:
        if zone not in self._refusing:
            self._refusing.add(zone)
            log.warning(
                "a list in DNS does not answer us: ask it through a resolver of our own", zone=zone, answer=answer
            )


def trust(listed: Listed) -> float:
    """Points that a place on an allow list takes away; dnswl.org says in the last octet how far it trusts."""
    if listed.zone.endswith("dnswl.org"):
        return _TRUST.get(int(listed.answer.rpartition(".")[2]), 0.5)
    return listed.points
