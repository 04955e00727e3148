"""Which policies for TLS the servers of a destination are held to: DANE and MTA-STS."""

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import TemporaryError
from mailstead.mail.authentication.mtasts.discover import StsDiscovery
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.authentication.tls_policy import TlsPolicy, server_policy
from mailstead.mail.outbound.targets import Target


class TlsPolicyError(TemporaryError):
    """A server does not meet the policy of its domain; the mail waits for another try (RFC 8461 §5, RFC 7672 §2.2)."""

    smtp_code = 450
    enhanced_code = "4.7.5"
    public_text = "The server does not meet the TLS policy of its domain"


class DestinationPolicy(msgspec.Struct, frozen=True):
    """What a domain publishes, and whether DNSSEC vouches for its MX records."""

    domain: str
    sts: StsPolicy | None
    mx_authenticated: bool


class TlsPolicies:
    """Finds the policies; one for all attempts."""

    def __init__(self, resolver: Resolver, sts: StsDiscovery, clock: Clock) -> None:
        self._resolver = resolver
        self._sts = sts
        self._clock = clock

    async def of_destination(self, domain: str) -> DestinationPolicy:
        """What holds for mail to `domain`; nothing does for an address literal. Raises ResolutionError."""
        try:
            name = ascii_name(domain)
        except InvalidNameError:
            name = ""
        if not name or domain.startswith("["):
            return DestinationPolicy(domain, None, False)
        answer = await self._resolver.query(name, "MX")
        return DestinationPolicy(name, await self._sts.policy(name), answer.authenticated)

    async def of_server(self, destination: DestinationPolicy, target: Target) -> TlsPolicy:
        """The policy for one server. Raises ResolutionError, TlsPolicyError when it may not be used at all."""
        policy = await server_policy(
            self._resolver,
            destination.domain,
            target.host,
            target.port,
            mx_authenticated=destination.mx_authenticated,
            sts=destination.sts,
        )
        if policy.refusal:
            raise TlsPolicyError(detail=policy.refusal)
        return policy

    def check(self, policy: TlsPolicy, chain: list[bytes]) -> None:
        """Raises TlsPolicyError when the certificates that a server showed are not enough."""
        why = policy.unsatisfied(chain, self._clock.now())
        if why:
            raise TlsPolicyError(detail=f"{policy.host}: {why}")

    async def close(self) -> None:
        """Give up what is on its way."""
        await self._sts.close()
