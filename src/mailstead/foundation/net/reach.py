"""Which addresses this server connects to on behalf of its users: public ones, and networks that a setting allows.

What a user names (a webhook, a host to forward to) must not become a way into the network the server stands in. The
address is checked that is connected to: a name is resolved once, and what it resolved to is checked and used.
"""

import asyncio
import ipaddress

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.names import InvalidNameError
from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import PermanentError
from mailstead.foundation.net.limits import Networks

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ADDRESSES_LIMIT = 16


class NotPublicError(PermanentError):
    """The host has addresses that users may not reach through this server."""

    smtp_code = 550
    enhanced_code = "5.7.1"
    public_text = "The host's address is not a public one"


class NoSuchHostError(PermanentError):
    """DNS knows no address for the host."""

    smtp_code = 550
    enhanced_code = "5.1.2"
    public_text = "The host has no address"


def is_public(address: str) -> bool:
    """Whether an address is globally reachable (IANA's special-purpose registries, RFC 6890); what carries an IPv4
    address inside (mapped, NAT64, 6to4, Teredo) is judged by that.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        inner = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in _NAT64:
            inner.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        carried = [one for one in inner if one is not None]
        if carried:
            return all(is_public(str(one)) for one in carried)
    return parsed.is_global and not parsed.is_multicast


class Reach:
    """Resolves hosts that users named to addresses that may be connected to."""

    def __init__(self, resolver: Resolving, allowed: tuple[str, ...]) -> None:
        """`allowed`: networks that may be reached though they are not public."""
        self._resolver = resolver
        self._allowed = Networks(allowed)

    def permits(self, address: str) -> bool:
        """Whether this address may be connected to."""
        return is_public(address) or address in self._allowed

    async def addresses(self, host: str) -> list[str]:
        """All addresses of a name or an address literal. Raises NotPublicError when any of them is none to reach,
        NoSuchHostError, and ResolutionError when DNS does not answer now.
        """
        try:
            found = [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            found = await self._resolved(host)
        if not found:
            raise NoSuchHostError(detail=host)
        refused = [address for address in found if not self.permits(address)]
        if refused:
            raise NotPublicError(detail=f"{host} is at {refused[0]}" if refused[0] != host else host)
        return found[:_ADDRESSES_LIMIT]

    async def _resolved(self, host: str) -> list[str]:
        failure: ResolutionError | None = None
        found: list[str] = []
        answers = await asyncio.gather(
            self._resolver.query(host, "AAAA"), self._resolver.query(host, "A"), return_exceptions=True
        )
        for answer in answers:
            match answer:
                case ResolutionError():
                    failure = answer
                case InvalidNameError():
                    raise NoSuchHostError(detail=host) from answer
                case BaseException():
                    raise answer
                case _:
                    found += answer.records
        if not found and failure is not None:
            raise failure
        return found
