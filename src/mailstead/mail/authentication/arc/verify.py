"""Validating a chain (RFC 8617 §5.2)."""

import asyncio
from collections.abc import Mapping, Sequence

from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.mail.authentication.arc.chain import ArcSet, ChainError, collect, has_chain
from mailstead.mail.authentication.arc.result import NO_CHAIN, ArcResult
from mailstead.mail.authentication.dkim.hashing import HeaderForms
from mailstead.mail.authentication.dkim.key import KeyRecord
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dkim.signature import (
    SignatureSyntaxError,
    algorithm_of,
    domain_of,
    read_signature,
    shown,
)
from mailstead.mail.authentication.dkim.verify import (
    LEAST_BITS,
    Candidate,
    KeyName,
    KeyProblem,
    fetch_named,
    verify_candidates,
)
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.authentication.tags import TagSyntaxError, base64_value, without_space

_ARC_FIELDS = frozenset({b"arc-seal", b"arc-message-signature", b"arc-authentication-results"})
_INLINE_SEALS = 5


async def verify_arc(message: CheckedMessage, resolver: Resolving, *, now: float, settings: DkimSettings) -> ArcResult:
    """The state of the message's chain, "none" without one. Raises nothing of its own."""
    if not has_chain(message):
        return NO_CHAIN
    sets: list[ArcSet] = []
    try:
        sets = collect(message)
        newest = await _message_signatures(message, sets[-1:], resolver, now, settings)
        if newest[0].result != "pass":
            raise ChainError(f"message signature {sets[-1].instance}: {newest[0].reason}")
        await _verify_seals(message, sets, resolver, settings)
        older = await _message_signatures(message, sets[:-1], resolver, now, settings)
    except ChainError as error:
        sealers = tuple(without_space(one.seal_tags.get("d", ""))[:255].lower() for one in sets)
        return ArcResult(result="fail", instances=len(sets) or error.instances, reason=str(error), sealers=sealers)
    broken = [one.instance for one, result in zip(sets, older, strict=False) if result.result != "pass"]
    return ArcResult(
        result="pass",
        instances=len(sets),
        sealers=tuple(domain_of(one.seal_tags) for one in sets),
        oldest_pass=max(broken) + 1 if broken else 0,
        first_results=message.fields[sets[0].results].value.partition(b";")[2],
    )


async def _message_signatures(
    message: CheckedMessage, sets: Sequence[ArcSet], resolver: Resolving, now: float, settings: DkimSettings
) -> list[DkimResult]:
    """A result per set, in order."""
    results: dict[int, DkimResult] = {}
    candidates = []
    for one in sets:
        try:
            signature = read_signature({name: value for name, value in one.message_tags.items() if name != "i"})
            if _ARC_FIELDS & set(signature.names):
                raise SignatureSyntaxError("ARC fields are signed")
            if signature.expires_at is not None and signature.expires_at < now:
                raise SignatureSyntaxError("the signature has expired")
        except SignatureSyntaxError as error:
            results[one.message_signature] = DkimResult(result="permerror", reason=str(error))
        else:
            candidates.append(Candidate(one.message_signature, signature, shown(one.message_tags)))
    verified = await verify_candidates(message, candidates, resolver, settings) if candidates else []
    results.update({candidate.position: result for candidate, result in zip(candidates, verified, strict=True)})
    return [results[one.message_signature] for one in sets]


async def _verify_seals(
    message: CheckedMessage, sets: Sequence[ArcSet], resolver: Resolving, settings: DkimSettings
) -> None:
    """Raises ChainError at the newest seal that does not hold."""
    names = {one.instance: _key_name(one) for one in sets}
    wanted = list(dict.fromkeys(names.values()))
    by_name = await fetch_named(wanted, resolver, settings.rsa_bits_most)
    keys = {instance: by_name[name] for instance, name in names.items()}
    if len(sets) <= _INLINE_SEALS:
        _check_seals(message, sets, keys)
    else:
        await asyncio.get_running_loop().run_in_executor(None, _check_seals, message, sets, keys)


def _key_name(one: ArcSet) -> KeyName:
    tags = one.seal_tags
    try:
        for name in ("a", "b", "d", "s"):
            if not tags.get(name):
                raise SignatureSyntaxError(f"{name}= lacks")
        if "h" in tags:
            raise SignatureSyntaxError("h= is not allowed")
        return domain_of(tags), without_space(tags["s"]), algorithm_of(tags)[1]
    except SignatureSyntaxError as error:
        raise ChainError(f"seal {one.instance}: {error}") from error


def _check_seals(message: CheckedMessage, sets: Sequence[ArcSet], keys: Mapping[int, KeyRecord | KeyProblem]) -> None:
    forms = HeaderForms.of(message)
    pieces = []  # RFC 8617 §5.1.1: by instance, results before message signature before seal
    signed: dict[int, bytes] = {}
    for one in sets:
        pieces += [forms.form(one.results, "relaxed"), forms.form(one.message_signature, "relaxed")]
        signed[one.instance] = b"".join(pieces) + forms.unsigned(one.seal, "relaxed")
        pieces.append(forms.form(one.seal, "relaxed"))
    for one in reversed(sets):
        key = keys[one.instance]
        if isinstance(key, KeyProblem):
            raise ChainError(f"seal {one.instance}: {key.reason}")
        if key.key_type == "rsa" and key.bits < LEAST_BITS:
            raise ChainError(f"seal {one.instance}: a key of {key.bits} bits proves nothing")
        try:
            value = base64_value(one.seal_tags["b"])
        except TagSyntaxError as error:
            raise ChainError(f"seal {one.instance}: b= is {error}") from error
        if not key.verify(value, signed[one.instance]):
            raise ChainError(f"seal {one.instance} does not hold")
