"""Any authoritative server that takes dynamic updates (RFC 2136) signed with TSIG (RFC 8945): BIND, Knot, PowerDNS.

All is asked over TCP: updates of DKIM keys are larger than a datagram.
"""

from collections.abc import Callable
from typing import TypeVar

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from mailstead.administration.dns_providers.provider import DnsProviderError, quoted, unquoted

T = TypeVar("T")


class DynamicUpdates:
    """See DnsProvider. `address` is an IP address; the key's `secret` is base64 as the server's configuration has it."""

    def __init__(self, address: str, port: int, key: dns.tsig.Key, timeout: float) -> None:
        self._address = address
        self._port = port
        self._key = key
        self._timeout = timeout
        self._zones: dict[dns.name.Name, dns.name.Name] = {}

    async def values(self, name: str, kind: str) -> tuple[str, ...]:
        """See DnsProvider."""
        reply = await self._ask(_read(lambda: dns.name.from_text(name)), kind)
        rrset = reply.get_rrset(
            dns.message.ANSWER, reply.question[0].name, dns.rdataclass.IN, dns.rdatatype.from_text(kind)
        )
        texts = [data.to_text() for data in rrset] if rrset is not None else []
        return tuple(sorted(unquoted(text) if kind == "TXT" else text for text in texts))

    async def add(self, name: str, kind: str, value: str, ttl: int = 3600) -> None:
        """See DnsProvider. A TTL that the set has already is the server's to keep or to change (RFC 2136 §3.4.2.2)."""
        update, owner = await self._update(name)
        _read(lambda: update.add(owner, ttl, kind, quoted(value) if kind == "TXT" else value))
        await self._send(update)

    async def remove(self, name: str, kind: str, value: str) -> None:
        """See DnsProvider."""
        update, owner = await self._update(name)
        _read(lambda: update.delete(owner, kind, quoted(value) if kind == "TXT" else value))
        await self._send(update)

    async def _update(self, name: str) -> tuple[dns.update.UpdateMessage, dns.name.Name]:
        owner = _read(lambda: dns.name.from_text(name))
        zone = await self._zone(owner)
        update = dns.update.UpdateMessage(zone)
        update.use_tsig(self._key)
        return update, owner

    async def _zone(self, owner: dns.name.Name) -> dns.name.Name:
        """The zone of the server that holds `owner`: the first name upwards with a SOA of its own."""
        name = owner
        while name not in self._zones and len(name.labels) > 2:
            reply = await self._ask(name, "SOA")
            if reply.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, dns.rdatatype.SOA) is not None:
                self._zones[name] = name
            else:
                name = name.parent()
        if name not in self._zones:
            raise DnsProviderError(detail=f"{self._address} has no zone for {owner}")
        return name

    async def _ask(self, name: dns.name.Name, kind: str) -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        query.flags &= ~dns.flags.RD
        query.use_tsig(self._key)
        reply = await self._send(query, (dns.rcode.NOERROR, dns.rcode.NXDOMAIN))
        if not reply.flags & dns.flags.AA and reply.rcode() == dns.rcode.NOERROR and reply.answer:
            raise DnsProviderError(detail=f"{self._address} does not answer for {name} itself")
        return reply

    async def _send(
        self, message: dns.message.Message, good: tuple[dns.rcode.Rcode, ...] = (dns.rcode.NOERROR,)
    ) -> dns.message.Message:
        try:
            reply = await dns.asyncquery.tcp(message, self._address, self._timeout, self._port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise DnsProviderError(detail=f"{self._address}: {error or type(error).__name__}") from error
        if reply.rcode() not in good:
            raise DnsProviderError(detail=f"{self._address} answers {dns.rcode.to_text(reply.rcode())}")
        return reply


def _read(make: Callable[[], T]) -> T:
    """What `make` reads from text. Raises DnsProviderError."""
    try:
        return make()
    except (dns.exception.DNSException, ValueError) as error:
        raise DnsProviderError(detail=f"no record can be made of that: {error}") from error
