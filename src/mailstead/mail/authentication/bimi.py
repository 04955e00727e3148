"""Brand indicators (draft-brand-indicators-for-message-identification): whose picture a proven author asks to be shown.

    assertion record = "v=BIMI1" ";" "l=" [https URI of an SVG] [";" "a=" [https URI of evidence]]    at default._bimi.DOMAIN

Only the record is looked up. The picture is not fetched and its evidence (a VMC) not checked: who shows the picture has to.
Other selectors than the default one are not asked for.
"""

import asyncio
import re
from typing import Literal

import msgspec

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.resolving import Resolving, lookup
from mailstead.mail.authentication.tags import TagSyntaxError, parse_tags

SELECTOR = "default"
Outcome = Literal["pass", "none", "fail", "temperror", "declined", "skipped"]
_VERSION = re.compile(r"\s*v\s*=\s*BIMI1\s*(?:;|\Z)")
_URI = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[!#-:<-\[\]-_a-z~]{0,1000}")


class BimiResult(msgspec.Struct, frozen=True):
    """`location` is the picture's address, `evidence` that of its certificate ("" without); `domain` has the record."""

    result: Outcome
    domain: str = ""
    location: str = ""
    evidence: str = ""
    reason: str = ""

    @property
    def field(self) -> bytes:
        """BIMI-Location for who shows the message; b"" unless it passed."""
        if self.result != "pass":
            return b""
        evidence = f";\r\n\ta={self.evidence}" if self.evidence else ""
        return f"BIMI-Location: v=BIMI1;\r\n\tl={self.location}{evidence}\r\n".encode("ascii")


async def check_bimi(dmarc: DmarcResult, resolver: Resolving, *, timeout: float = 5.0) -> BimiResult:
    """The indicator of the author's domain, else of the organization's, within `timeout` seconds. Raises nothing."""
    why_not = _why_not(dmarc)
    if why_not:
        return BimiResult("skipped", reason=why_not)
    try:
        async with asyncio.timeout(timeout):
            return await _find(dmarc, resolver)
    except TimeoutError:
        return BimiResult("temperror", dmarc.domain, reason="DNS takes too long")


async def _find(dmarc: DmarcResult, resolver: Resolving) -> BimiResult:
    domains = dict.fromkeys((dmarc.domain, organizational_domain(dmarc.domain)))
    for domain in domains:
        try:
            answer = await lookup(resolver, f"{SELECTOR}._bimi.{domain}", "TXT")
        except ResolutionError as error:
            return BimiResult("temperror", domain, reason=str(error.detail or "DNS does not answer"))
        records = [text for text in answer.records if _VERSION.match(text)]
        if len(records) > 1:
            return BimiResult("fail", domain, reason="more than one record")
        if records:
            return _read(domain, records[0])
    return BimiResult("none")


def _why_not(dmarc: DmarcResult) -> str:
    """An author who is not proven, or whose domain does not ask for others to be refused, has no indicator."""
    if dmarc.result != "pass" or dmarc.record is None:
        return "DMARC did not pass"
    if dmarc.policy == "none" or (dmarc.policy == "quarantine" and dmarc.record.percent < 100):
        return "the domain's DMARC policy asks for too little"
    return ""


def _read(domain: str, text: str) -> BimiResult:
    try:
        tags = parse_tags(text)
    except TagSyntaxError as error:
        return BimiResult("fail", domain, reason=str(error))
    location, evidence = tags.get("l"), tags.get("a", "")
    if location is None:
        return BimiResult("fail", domain, reason="the record has no l=")
    if not location and not evidence:
        return BimiResult("declined", domain)
    if not all(_URI.fullmatch(uri) for uri in (location, evidence) if uri) or not location:
        return BimiResult("fail", domain, reason="no https address of a picture")
    return BimiResult("pass", domain, location, evidence)
