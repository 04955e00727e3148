"""Where mail for a domain is sent (RFC 5321 §5.1, RFC 7505)."""

import asyncio
import ipaddress
import random

import msgspec

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.lookups import NULL_MX, mx
from mailstead.foundation.dns.resolver import InvalidNameError, Resolver
from mailstead.foundation.errors import PermanentError
from mailstead.mail.outbound.routes import Relay

_ADDRESSES_LIMIT = 16
_IPV6 = "ipv6:"


class NullMxError(PermanentError):
    """The domain says that it takes no mail."""

    smtp_code = 556
    enhanced_code = "5.1.10"
    public_text = "The domain does not accept mail (null MX)"


class NoSuchDomainError(PermanentError):
    """DNS knows neither mail servers nor addresses for the domain."""

    smtp_code = 550
    enhanced_code = "5.1.2"
    public_text = "The domain has no mail server"


class BadLiteralError(PermanentError):
    """An address literal that is no address (RFC 5321 §4.1.3)."""

    smtp_code = 553
    enhanced_code = "5.1.3"
    public_text = "Not an address literal"


class MailLoopError(PermanentError):
    """The domain's mail servers are this host, which does not serve the domain (RFC 5321 §5.1)."""

    smtp_code = 554
    enhanced_code = "5.4.6"
    public_text = "Mail for the domain would come back to this server, which does not serve it"


class Target(msgspec.Struct, frozen=True):
    """One address to try, from the local address `source` ("" for any); `relay` where it is one."""

    host: str
    address: str
    port: int
    source: str = ""
    relay: Relay | None = None


async def find_targets(resolver: Resolver, domain: str, port: int, hostname: str) -> list[Target]:
    """Addresses to try in order: mail servers by preference, equal ones shuffled; the domain itself without MX.

    Servers that are no better than `hostname`, this host, are left out. Raises NullMxError, NoSuchDomainError,
    MailLoopError, BadLiteralError, and ResolutionError when DNS does not answer now.
    """
    if domain.startswith("["):
        return [Target(domain, _literal(domain), port)]
    try:
        exchangers = await mx(resolver, domain)
    except InvalidNameError as error:
        raise NoSuchDomainError(detail=str(error)) from error
    if exchangers == NULL_MX:
        raise NullMxError
    own = [preference for preference, host in exchangers if host == hostname.lower()]
    better = [(preference, host) for preference, host in exchangers if not own or preference < min(own)]
    if (own and not better) or (not exchangers and domain == hostname.lower()):
        raise MailLoopError(detail=domain)
    hosts = [host for _, _, host in sorted((preference, random.random(), host) for preference, host in better)]  # noqa: S311
    found: list[Target] = []
    failure: ResolutionError | None = None
    for host in hosts or [domain]:
        addresses, failed = await _addresses(resolver, host)
        found += [Target(host, address, port) for address in addresses]
        failure = failure or failed
        if len(found) >= _ADDRESSES_LIMIT:
            break
    if not found and failure is not None:
        raise failure
    if not found:
        raise NoSuchDomainError(detail=f"{', '.join(hosts)} has no address" if hosts else "")
    return found[:_ADDRESSES_LIMIT]


def _literal(domain: str) -> str:
    text = domain.removeprefix("[").removesuffix("]").lower()
    try:
        if text.startswith(_IPV6):
            return str(ipaddress.IPv6Address(text.removeprefix(_IPV6)))
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise BadLiteralError(detail=domain) from None


async def _addresses(resolver: Resolver, host: str) -> tuple[list[str], ResolutionError | None]:
    """IPv6 and IPv4 addresses of a host, and why some may be missing."""
    found: list[str] = []
    failure: ResolutionError | None = None
    answers = await asyncio.gather(resolver.query(host, "AAAA"), resolver.query(host, "A"), return_exceptions=True)
    for answer in answers:
        match answer:
            case ResolutionError():
                failure = answer
            case InvalidNameError():
                pass  # a name that cannot be asked for has no address
            case BaseException():
                raise answer
            case _:
                found += answer.records
    return found, failure
