"""The questions that mail asks of DNS."""

import asyncio
import ipaddress

from mailstead.foundation.dns.resolver import Resolver

NULL_MX = [(0, "")]
"""What `mx` returns for a domain that takes no mail (RFC 7505 §3)."""


async def mx(resolver: Resolver, domain: str) -> list[tuple[int, str]]:
    """Preference and host of each MX record, best first; NULL_MX, or [] when there is none at all.

    The implicit MX (RFC 5321 §5.1) is the caller's. A root host beside other records is no null MX and is left out.
    Raises ResolutionError, InvalidNameError.
    """
    answer = await resolver.query(domain, "MX")
    found = []
    for record in answer.records:
        preference, _, host = record.partition(" ")
        found.append((int(preference), _host(host)))
    if found and not any(host for _, host in found):
        return list(NULL_MX)
    return sorted((preference, host) for preference, host in found if host)


async def addresses(resolver: Resolver, host: str) -> list[str]:
    """IPv6 and IPv4 addresses of a host, IPv6 first. Raises ResolutionError, InvalidNameError."""
    answers = await asyncio.gather(resolver.query(host, "AAAA"), resolver.query(host, "A"))
    return [record for answer in answers for record in answer.records]


async def txt(resolver: Resolver, name: str) -> list[str]:
    """TXT records, each with its strings joined. Raises ResolutionError, InvalidNameError."""
    return list((await resolver.query(name, "TXT")).records)


async def ptr(resolver: Resolver, address: str) -> list[str]:
    """Host names of an IPv4 or IPv6 address. Raises ResolutionError; ValueError when it is no address."""
    answer = await resolver.query(ipaddress.ip_address(address).reverse_pointer, "PTR")
    return [_host(record) for record in answer.records]


def _host(text: str) -> str:
    return text.rstrip(".").lower()
