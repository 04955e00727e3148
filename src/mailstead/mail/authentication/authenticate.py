"""All that can be found out about who sent a message, in one call."""

import asyncio

import msgspec

from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.mail.authentication.arc.result import ArcResult
from mailstead.mail.authentication.arc.verify import verify_arc
from mailstead.mail.authentication.bimi import BimiResult, check_bimi
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dkim.verify import verify_dkim
from mailstead.mail.authentication.dmarc.evaluate import evaluate_dmarc
from mailstead.mail.authentication.dmarc.organization import aligned
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.authentication.results.compose import compose
from mailstead.mail.authentication.results.field import (
    AuthenticationResults,
    ResultsSyntaxError,
    format_results,
    parse_results,
)
from mailstead.mail.authentication.spf.check import Client, check_spf
from mailstead.mail.authentication.spf.result import SpfResult

_UNKNOWN_SPF = SpfResult("none", "", reason="the client is not known")


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out; None where there was nothing to look at: no client, or no message."""

    client: Client | None
    spf: SpfResult | None = None
    dkim: list[DkimResult] | None = None
    dmarc: DmarcResult | None = None
    arc: ArcResult | None = None
    bimi: BimiResult | None = None

    def results(self, identifier: str) -> AuthenticationResults:
        """As Authentication-Results of `identifier`."""
        return compose(
            identifier,
            client=self.client,
            spf=self.spf,
            dkim=self.dkim,
            dmarc=self.dmarc,
            arc=self.arc,
            bimi=self.bimi,
        )

    def field(self, identifier: str) -> bytes:
        """The Authentication-Results field with its line break."""
        return f"Authentication-Results: {format_results(self.results(identifier))}\r\n".encode()


async def authenticate(
    message: CheckedMessage | None,
    client: Client | None,
    resolver: Resolving,
    *,
    settings: AuthenticationSettings,
    dkim_settings: DkimSettings,
    now: float,
    sample: float,
    is_hidden: bool = False,
) -> Checks:
    """Check `message` as it came from `client`; either may be missing.

    With `is_hidden` the client's address is a gateway's: SPF is a temporary error, which no policy holds against mail.

    `now` in seconds since the epoch; `sample` from 0 to below 100 decides about policies for a part of all messages
    (pct=). What `settings.timeout` cuts off is a temporary error. Raises nothing of its own.
    """
    try:
        async with asyncio.timeout(settings.timeout):
            return await _authenticate(message, client, resolver, settings, dkim_settings, now, sample, is_hidden)
    except TimeoutError:
        return _unknown(message, client)


async def _authenticate(
    message: CheckedMessage | None,
    client: Client | None,
    resolver: Resolving,
    settings: AuthenticationSettings,
    dkim_settings: DkimSettings,
    now: float,
    sample: float,
    is_hidden: bool,
) -> Checks:
    async with asyncio.TaskGroup() as group:
        if client is not None and not is_hidden:
            spf_task = group.create_task(check_spf(resolver, client, now=now, timeout=settings.spf_timeout))
        if message is not None:
            dkim_task = group.create_task(verify_dkim(message, resolver, now=now, settings=dkim_settings))
            arc_task = group.create_task(verify_arc(message, resolver, now=now, settings=dkim_settings))
    spf = None
    if client is not None:
        spf = _hidden(client) if is_hidden else spf_task.result()
    if message is None:
        return Checks(client=client, spf=spf)
    dkim, arc = dkim_task.result(), arc_task.result()
    dmarc = await evaluate_dmarc(message, spf or _UNKNOWN_SPF, dkim, resolver, sample=sample)
    if dmarc.disposition != "none" and _is_vouched_for(arc, dmarc, settings.arc_trusted):
        reason = f"{dmarc.reason}; it did before {arc.sealers[-1]}, which is trusted, changed it"
        dmarc = msgspec.structs.replace(dmarc, disposition="none", override="trusted_forwarder", reason=reason)
    bimi = await check_bimi(dmarc, resolver, timeout=settings.timeout / 5) if settings.bimi else None
    return Checks(client=client, spf=spf, dkim=dkim, dmarc=dmarc, arc=arc, bimi=bimi)


def _hidden(client: Client) -> SpfResult:
    domain = (client.sender or client.helo).rpartition("@")[2].lower()
    return SpfResult("temperror", domain, reason=f"{client.address} is a gateway that hides the client")


def _is_vouched_for(arc: ArcResult, dmarc: DmarcResult, trusted: tuple[str, ...]) -> bool:
    """Whether every sealer is trusted, and the first of them saw DMARC pass for this author (RFC 8617 §7.2.1)."""
    if arc.result != "pass" or not set(arc.sealers) <= {domain.lower() for domain in trusted}:
        return False
    try:
        first = parse_results(arc.first_results)
    except ResultsSyntaxError:
        return False
    return any(
        one.method == "dmarc"
        and one.result == "pass"
        and aligned(one.property("header.from").lower() or dmarc.domain, dmarc.domain, strict=False)
        for one in first.results
    )


def _unknown(message: CheckedMessage | None, client: Client | None) -> Checks:
    reason = "the checks took too long"
    spf = None
    if client is not None:
        domain = client.sender.rpartition("@")[2] if client.sender else client.helo
        spf = SpfResult("temperror", domain, "mailfrom" if client.sender else "helo", reason=reason)
    if message is None:
        return Checks(client=client, spf=spf)
    return Checks(
        client=client,
        spf=spf,
        dkim=[DkimResult(result="temperror", reason=reason)],
        dmarc=DmarcResult(result="temperror", reason=reason),
        arc=ArcResult(result="fail", reason=reason),
    )
