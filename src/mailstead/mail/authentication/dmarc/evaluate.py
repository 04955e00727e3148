"""Finding the policy and judging by it (RFC 7489 §6.6)."""

from collections.abc import Sequence

import msgspec

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dmarc.author import AuthorError, author_domains
from mailstead.mail.authentication.dmarc.organization import aligned, organizational_domain, public_suffix
from mailstead.mail.authentication.dmarc.record import (
    DmarcRecord,
    DmarcRecordError,
    Policy,
    is_dmarc_record,
    parse_dmarc_record,
)
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving, lookup
from mailstead.mail.authentication.spf.result import SpfResult

_STRICTNESS: dict[Policy, int] = {"none": 0, "quarantine": 1, "reject": 2}
_MILDER: dict[Policy, Policy] = {"reject": "quarantine", "quarantine": "none", "none": "none"}
_OUTCOMES = ("pass", "none", "permerror", "temperror", "fail")  # from the one that says least against a message


class FoundPolicy(msgspec.Struct, frozen=True):
    """A record with the domain that publishes it."""

    domain: str
    record: DmarcRecord


async def evaluate_dmarc(
    message: CheckedMessage, spf: SpfResult, dkim: Sequence[DkimResult], resolver: Resolving, *, sample: float
) -> DmarcResult:
    """The result for the author's domain; of several authors' domains the one that is judged most strictly counts.

    `sample`, at least 0 and below 100, is drawn for the message: a policy for pct= of all applies below it. Raises nothing
    of its own.
    """
    try:
        domains = author_domains(message)
    except AuthorError as error:
        return DmarcResult(result="permerror", reason=str(error))
    results = [await _evaluate(domain, spf, dkim, resolver, sample) for domain in domains]
    return max(results, key=lambda one: (_STRICTNESS[one.disposition], _OUTCOMES.index(one.result)))


async def _evaluate(
    domain: str, spf: SpfResult, dkim: Sequence[DkimResult], resolver: Resolving, sample: float
) -> DmarcResult:
    try:
        found = await find_policy(resolver, domain)
    except ResolutionError as error:
        return DmarcResult(
            result="temperror", domain=domain, reason=f"the policy could not be looked up: {error.detail}"
        )
    except DmarcRecordError as error:
        return DmarcResult(result="permerror", domain=domain, reason=str(error))
    if found is None:
        return DmarcResult(result="none", domain=domain, reason="no policy is published")
    record = found.record
    try:
        policy = await _applicable(resolver, domain, found)
    except ResolutionError as error:
        return DmarcResult(
            result="temperror", domain=domain, reason=f"the domain could not be looked up: {error.detail}"
        )
    spf_aligned = spf.result == "pass" and _aligned(spf.domain, domain, strict=record.spf_alignment == "s")
    strict = record.dkim_alignment == "s"
    dkim_aligned = any(one.vouches and _aligned(one.domain, domain, strict=strict) for one in dkim)
    result = DmarcResult(
        result="pass",
        domain=domain,
        policy=policy,
        policy_domain=found.domain,
        record=record,
        dkim_aligned=dkim_aligned,
        spf_aligned=spf_aligned,
    )
    if dkim_aligned or spf_aligned:
        return result
    unknown = [spf.result == "temperror" and _aligned(spf.domain, domain, strict=record.spf_alignment == "s")]
    unknown += [one.result == "temperror" and _aligned(one.domain, domain, strict=strict) for one in dkim]
    if any(unknown):
        # it may well have passed: nothing is held against it for a lookup that failed
        reason = "what would have to pass could not be looked up"
        return msgspec.structs.replace(result, result="temperror", reason=reason)
    failed = msgspec.structs.replace(
        result, result="fail", disposition=policy, reason=f"neither SPF nor DKIM passed for {domain}"
    )
    if policy != "none" and sample >= record.percent:
        return msgspec.structs.replace(failed, disposition=_MILDER[policy], override="sampled_out")
    return failed


async def find_policy(resolver: Resolving, domain: str) -> FoundPolicy | None:
    """The policy for `domain` (RFC 7489 §6.6.3): its own, its organizational domain's, its public suffix's (RFC 9091 §4).

    Raises ResolutionError, DmarcRecordError.
    """
    organization = organizational_domain(domain)
    for name in dict.fromkeys((domain, organization)):
        texts = await _records(resolver, name)
        if len(texts) > 1:
            return None  # processing is not applied
        if texts:
            return FoundPolicy(name, parse_dmarc_record(texts[0]))
    suffix = public_suffix(organization)
    if suffix not in (domain, organization):
        texts = await _records(resolver, suffix)
        if len(texts) == 1:
            record = parse_dmarc_record(texts[0])
            if record.is_public_suffix:
                return FoundPolicy(suffix, record)
    return None


async def _records(resolver: Resolving, domain: str) -> list[str]:
    answer = await lookup(resolver, f"_dmarc.{domain}", "TXT")
    return [text for text in answer.records if is_dmarc_record(text)]


async def _applicable(resolver: Resolving, domain: str, found: FoundPolicy) -> Policy:
    if found.domain == domain:
        return found.record.policy
    if found.record.nonexistent_policy is not None and (await lookup(resolver, domain, "A")).outcome == "nxdomain":
        return found.record.nonexistent_policy
    return found.record.subdomain_policy


def _aligned(one: str, author: str, *, strict: bool) -> bool:
    try:
        return aligned(ascii_name(one), author, strict=strict)
    except InvalidNameError:
        return False
