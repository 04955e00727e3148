"""Our results in the words of Authentication-Results (RFC 8601 §2.7)."""

from mailstead.mail.authentication.arc.result import ArcResult
from mailstead.mail.authentication.bimi import SELECTOR, BimiResult
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.results.field import AuthenticationResults, MethodResult
from mailstead.mail.authentication.spf.check import Client
from mailstead.mail.authentication.spf.result import SpfResult


def compose(
    identifier: str,
    *,
    client: Client | None,
    spf: SpfResult | None,
    dkim: list[DkimResult] | None,
    dmarc: DmarcResult | None,
    arc: ArcResult | None,
    bimi: BimiResult | None = None,
) -> AuthenticationResults:
    """What is said under `identifier` (the authserv-id); what was not looked at is not said."""
    results = []
    if dkim is not None:
        results += [_dkim(one) for one in dkim] or [MethodResult("dkim", "none")]
    if spf is not None and client is not None:
        results.append(_spf(spf, client))
    if dmarc is not None:
        results.append(_dmarc(dmarc))
    if arc is not None and arc.result != "none":
        results.append(_arc(arc, client))
    if bimi is not None:
        results.append(_bimi(bimi))
    return AuthenticationResults(identifier, tuple(results))


def _dkim(one: DkimResult) -> MethodResult:
    properties = [
        ("header.d", one.domain),
        ("header.s", one.selector),
        ("header.a", one.algorithm),
        ("header.b", one.signature),
    ]
    return MethodResult("dkim", one.result, one.reason, tuple((name, value) for name, value in properties if value))


def _spf(spf: SpfResult, client: Client) -> MethodResult:
    named = ("smtp.mailfrom", client.sender) if spf.identity == "mailfrom" else ("smtp.helo", client.helo)
    return MethodResult("spf", spf.result, spf.reason, (named,))


def _dmarc(dmarc: DmarcResult) -> MethodResult:
    properties = (("header.from", dmarc.domain),) if dmarc.domain else ()
    comment = f"p={dmarc.policy} dis={dmarc.disposition}" if dmarc.policy is not None else ""
    return MethodResult("dmarc", dmarc.result, dmarc.reason, properties, comment)


def _arc(arc: ArcResult, client: Client | None) -> MethodResult:
    properties = [("header.oldest-pass", str(arc.oldest_pass))] if arc.result == "pass" else []
    if client is not None:
        properties.append(("smtp.remote-ip", str(client.address)))
    return MethodResult("arc", arc.result, arc.reason, tuple(properties), f"i={arc.instances}")


def _bimi(bimi: BimiResult) -> MethodResult:
    properties = (("header.d", bimi.domain), ("header.selector", SELECTOR)) if bimi.domain else ()
    return MethodResult("bimi", bimi.result, bimi.reason, properties)
