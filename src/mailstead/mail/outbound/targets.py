"""Where mail for a domain is sent (RFC 5321 §5.1, RFC 7505)."""

import random
from urllib.parse import unquote, urlsplit

import msgspec

from mailstead.foundation.dns.lookups import addresses, mx
from mailstead.foundation.dns.resolver import InvalidNameError, Resolver
from mailstead.foundation.errors import InvalidError, PermanentError

_ADDRESSES_LIMIT = 16


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


class Target(msgspec.Struct, frozen=True):
    """One address to try."""

    host: str
    address: str
    port: int


class Relay(msgspec.Struct, frozen=True):
    """A server that takes everything (RELAY_URL)."""

    host: str
    port: int
    implicit_tls: bool
    login: str
    password: str

    def __repr__(self) -> str:
        return f"Relay({self.host}:{self.port})"


def parse_relay(url: str) -> Relay | None:
    """`smtp[s]://[user:password@]host[:port]`; None for an empty text. Raises InvalidError."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise InvalidError("The relay is given as smtp[s]://USER:PASSWORD@HOST:PORT")
    implicit = parts.scheme == "smtps"
    return Relay(
        parts.hostname,
        parts.port or (465 if implicit else 587),
        implicit,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


async def find_targets(resolver: Resolver, domain: str, port: int) -> list[Target]:
    """Addresses to try in order: mail servers by preference, equal ones shuffled; the domain itself without MX.

    Raises NullMxError, NoSuchDomainError, ResolutionError.
    """
    if domain.startswith("["):
        literal = domain.strip("[]").removeprefix("IPv6:")
        return [Target(domain, literal, port)]
    try:
        exchangers = await mx(resolver, domain)
    except InvalidNameError as error:
        raise NoSuchDomainError(detail=str(error)) from error
    if any(not host for _, host in exchangers):
        if len(exchangers) == 1:
            raise NullMxError
        exchangers = [(preference, host) for preference, host in exchangers if host]
    hosts = [host for _, _, host in sorted((preference, random.random(), host) for preference, host in exchangers)]  # noqa: S311
    found: list[Target] = []
    for host in hosts or [domain]:
        found += [Target(host, address, port) for address in await addresses(resolver, host)]
        if len(found) >= _ADDRESSES_LIMIT:
            break
    if not found:
        raise NoSuchDomainError
    return found
