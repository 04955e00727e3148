"""The name that leads from a client's address to a host name and back (forward-confirmed reverse DNS)."""

import asyncio
import ipaddress
import re
from typing import Literal

import msgspec

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.authentication.resolving import Resolving, lookup

NAMES_LIMIT = 10
ReverseOutcome = Literal["confirmed", "unconfirmed", "none", "unknown"]
_OCTETS = re.compile(r"\d+")
_DYNAMIC = re.compile(
    r"(?:^|[.-])(?:dyn|dynamic|dhcp|dial|dialup|dsl|adsl|ppp|pool|cable|customer|client|cust|broadband)\d*(?:[.-]|$)"
)


class Reverse(msgspec.Struct, frozen=True):
    """`name` is a host name whose addresses have the client's among them; "" unless `outcome` is confirmed.

    unconfirmed: there are names, none of which leads back; none: there is no name; unknown: DNS did not answer.
    """

    outcome: ReverseOutcome
    name: str = ""
    claimed: str = ""


async def reverse_name(resolver: Resolving, address: str) -> Reverse:
    """Look up the names of `address`, at most ten, and the addresses of each. Raises ValueError for no address."""
    parsed = ipaddress.ip_address(address)
    kind = "A" if parsed.version == 4 else "AAAA"
    try:
        names = (await lookup(resolver, parsed.reverse_pointer, "PTR")).records[:NAMES_LIMIT]
    except ResolutionError:
        return Reverse("unknown")
    if not names:
        return Reverse("none")
    hosts = [name.removesuffix(".").lower() for name in names]
    confirmed = await asyncio.gather(*(_leads_back(resolver, host, kind, parsed) for host in hosts))
    for host, found in zip(hosts, confirmed, strict=True):
        if found:
            return Reverse("confirmed", host, host)
    return Reverse("unknown" if None in confirmed else "unconfirmed", "", hosts[0])


async def _leads_back(
    resolver: Resolving, host: str, kind: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> bool | None:
    try:
        answer = await lookup(resolver, host, kind)
    except ResolutionError:
        return None
    return any(ipaddress.ip_address(record) == address for record in answer.records)


def looks_dynamic(name: str, address: str) -> bool:
    """Whether a host's name is that of one in a pool: below its domain it spells its own address, or says so."""
    name = name.removesuffix(organizational_domain(name))
    if not name:
        return False
    if _DYNAMIC.search(name):
        return True
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6:
        return parsed.exploded.replace(":", "")[16:] in name.replace("-", "").replace(".", "")
    octets = str(parsed).split(".")
    found = _OCTETS.findall(name)
    return len([octet for octet in octets if octet in found]) >= 3 or "".join(f"{int(o):03d}" for o in octets) in name
