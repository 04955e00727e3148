"""What the connection to a mail server has to be like: DANE before MTA-STS before whatever can be had.

One decision per server, made before connecting; `unsatisfied` judges what was met. Who connects does it like this:

    policy = await server_policy(...)           # ResolutionError: this server cannot be used now
    if policy.refusal: next server
    handshake, verifying with the system's authorities when policy.verifies_names
    if policy.requires_tls and there is no TLS: next server
    if why := policy.unsatisfied(chain, now): next server
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from mailstead.mail.authentication.dane.discover import Dane, find_dane
from mailstead.mail.authentication.dane.verify import verify_dane
from mailstead.mail.authentication.mtasts.policy import StsPolicy, format_policy
from mailstead.mail.authentication.resolving import Resolving

Source = Literal["none", "sts", "tlsa"]


class TlsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy for one server of one domain. `source` is the word of TLS reports (RFC 8460 §4.2).

    `refusal` says why the server may not be used at all. `is_testing`: violations are reported, and mail goes on.
    `published` and `patterns` are the policy's own lines, and the servers it names, for reports.
    `is_required`: the sender insists on TLS and on a server that is proved (RFC 8689 §4.2.1).
    """

    domain: str
    host: str
    source: Source = "none"
    refusal: str = ""
    is_testing: bool = False
    dane: Dane | None = None
    is_required: bool = False
    published: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def requires_tls(self) -> bool:
        """Whether mail may go over TLS only."""
        return self.is_required or (self.source != "none" and not self.is_testing)

    @property
    def verifies_names(self) -> bool:
        """Whether the certificate has to be valid for `host` under the system's authorities (RFC 8461 §4.2)."""
        if self.is_required:
            return self.dane is None or not self.dane.records
        return self.source == "sts" and not self.is_testing

    def unsatisfied(self, chain: Sequence[bytes], now: float) -> str:
        """Why the chain shown (DER, the server's own certificate first) is not enough; "" when it is.

        Names under the system's authorities are the handshake's to verify. `now` in seconds since the epoch.
        """
        if self.dane is None or not self.dane.records:
            return ""  # TLSA records of no use oblige to TLS alone (RFC 7672 §2.2)
        return verify_dane(self.dane.records, chain, (self.host, self.dane.base, self.domain), now)


async def server_policy(
    resolver: Resolving, domain: str, host: str, port: int, *, mx_authenticated: bool, sts: StsPolicy | None
) -> TlsPolicy:
    """The policy for `host`, one of the servers of `domain`, whose MTA-STS policy is `sts`.

    `mx_authenticated` says whether DNSSEC vouches for the MX records (or for their absence). Where there are TLSA
    records, MTA-STS does not count (RFC 8461 §2). Raises ResolutionError: not to be used now.
    """
    dane = await find_dane(resolver, host, port, mx_authenticated=mx_authenticated)
    if dane is not None:
        published = tuple(f"{one.usage} {one.selector} {one.matching} {one.data.hex()}" for one in dane.records)
        return TlsPolicy(domain=domain, host=host, source="tlsa", dane=dane, published=published)
    if sts is None or sts.mode == "none":
        return TlsPolicy(domain=domain, host=host)
    return sts_policy(domain, host, sts)


def sts_policy(domain: str, host: str, sts: StsPolicy | None) -> TlsPolicy:
    """What an MTA-STS policy comes to for `host`."""
    if sts is None:
        return TlsPolicy(domain=domain, host=host)
    is_testing = sts.mode == "testing"
    refusal = "" if sts.allows(host) else f"{host} is not among the servers that the policy of {domain} names"
    return TlsPolicy(
        domain=domain,
        host=host,
        source="sts",
        refusal="" if is_testing else refusal,
        is_testing=is_testing,
        published=tuple(format_policy(sts).splitlines()),
        patterns=sts.mx,
    )
