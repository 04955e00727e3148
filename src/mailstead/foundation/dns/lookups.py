"""The questions that mail asks of DNS."""

import asyncio
import ipaddress

from mailstead.foundation.dns.resolver import Resolver


async def mx(resolver: Resolver, domain: str) -> list[tuple[int, str]]:
    """Preference and host of each MX record, best first; `[(0, "")]` is a null MX (RFC 7505 §3), [] none at all."""
    answer = await resolver.query(domain, "MX")
    found = []
    for record in answer.records:
        preference, _, host = record.partition(" ")
        found.append((int(preference), host.rstrip(".").lower()))
    return sorted(found)


async def addresses(resolver: Resolver, host: str) -> list[str]:
    """IPv6 and IPv4 addresses of a host, IPv6 first."""
    answers = await asyncio.gather(resolver.query(host, "AAAA"), resolver.query(host, "A"))
    return [record for answer in answers for record in answer.records]


async def txt(resolver: Resolver, name: str) -> list[str]:
    """TXT records, each with its strings joined."""
    return list((await resolver.query(name, "TXT")).records)


async def ptr(resolver: Resolver, address: str) -> list[str]:
    """Host names of an address."""
    answer = await resolver.query(ipaddress.ip_address(address).reverse_pointer, "PTR")
    return [record.rstrip(".").lower() for record in answer.records]
