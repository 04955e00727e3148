"""Verifying a message's DKIM signatures (RFC 6376 §6.1)."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.mail.authentication.dkim.hashing import BodyForm, BodyHash, HeaderForms, hash_body
from mailstead.mail.authentication.dkim.key import KeyRecord, KeyRecordError, parse_key_record
from mailstead.mail.authentication.dkim.result import DkimResult, Outcome
from mailstead.mail.authentication.dkim.signature import (
    KeyType,
    Signature,
    SignatureSyntaxError,
    read_signature,
    shown,
    tags_of,
)
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving, lookup

_FIELD = b"dkim-signature"
_CLOCK_SKEW = 300  # seconds that a signer's clock may be ahead
LEAST_BITS = 1024  # RFC 8301 §3.2
_INLINE_OCTETS = 64 * 1024  # hashing that takes less time than going to a thread and back
_INLINE_BITS = 8192  # of all keys together
_KEYS_TRIED = 4

KeyName = tuple[str, str, KeyType]


class KeyProblem(msgspec.Struct, frozen=True):
    """Why there is no key; temporary when DNS gave no answer."""

    temporary: bool
    reason: str


class Candidate(msgspec.Struct, frozen=True):
    """A signature that was read, and where its field stands."""

    position: int
    signature: Signature
    shown: str

    def result(self, outcome: Outcome, reason: str = "", *, testing: bool = False, unsigned: int = 0) -> DkimResult:
        """The result for this signature."""
        signature = self.signature
        return DkimResult(
            result=outcome,
            domain=signature.domain,
            selector=signature.selector,
            reason=reason,
            identity=signature.identity,
            algorithm=signature.algorithm,
            signature=self.shown,
            unsigned_octets=unsigned,
            is_testing=testing,
        )


async def verify_dkim(
    message: CheckedMessage, resolver: Resolving, *, now: float, settings: DkimSettings
) -> list[DkimResult]:
    """One result per DKIM-Signature from the top, of the first `settings.signatures_limit`; [] without any.

    `now` in seconds since the epoch. Raises nothing of its own.
    """
    results: list[DkimResult | Candidate] = []
    for position, field in enumerate(message.fields):
        if field.key == _FIELD:
            if len(results) == settings.signatures_limit:
                break
            results.append(_read(position, field.value, now))
    candidates = [one for one in results if isinstance(one, Candidate)]
    if candidates:
        verified = await verify_candidates(message, candidates, resolver, settings)
        by_position = {candidate.position: result for candidate, result in zip(candidates, verified, strict=True)}
        return [by_position[one.position] if isinstance(one, Candidate) else one for one in results]
    return [one for one in results if isinstance(one, DkimResult)]


async def verify_candidates(
    message: CheckedMessage, candidates: Sequence[Candidate], resolver: Resolving, settings: DkimSettings
) -> list[DkimResult]:
    """A result for each, in order. Keys come at once; on a thread when it would hold up others."""
    keys = await fetch_keys([candidate.signature for candidate in candidates], resolver, settings)
    bits = sum(key.bits for key in keys.values() if isinstance(key, KeyRecord))
    if message.body_size <= _INLINE_OCTETS and bits <= _INLINE_BITS:
        return _verify(message, candidates, keys)
    return await asyncio.get_running_loop().run_in_executor(None, _verify, message, candidates, keys)


async def fetch_keys(
    signatures: Sequence[Signature], resolver: Resolving, settings: DkimSettings
) -> Mapping[KeyName, KeyRecord | KeyProblem]:
    """The key of each signature, or why there is none."""
    names = list(dict.fromkeys(key_name(signature) for signature in signatures))
    return await fetch_named(names, resolver, settings.rsa_bits_most)


async def fetch_named(
    names: Sequence[KeyName], resolver: Resolving, bits_most: int
) -> dict[KeyName, KeyRecord | KeyProblem]:
    """The key of each name, or why there is none; all are looked up at once."""
    if len(names) == 1:  # nearly always, and nearly always from the cache
        return {names[0]: await fetch_key(names[0], resolver, bits_most)}
    found = await asyncio.gather(*(fetch_key(name, resolver, bits_most) for name in names))
    return dict(zip(names, found, strict=True))


def key_name(signature: Signature) -> KeyName:
    """Where the key of a signature is, and its type."""
    return signature.domain, signature.selector, signature.key_type


async def fetch_key(name: KeyName, resolver: Resolving, bits_most: int) -> KeyRecord | KeyProblem:
    """The first usable key at `selector._domainkey.domain` (RFC 6376 §3.6.2)."""
    domain, selector, key_type = name
    try:
        answer = await lookup(resolver, f"{selector}._domainkey.{domain}", "TXT")
    except ResolutionError as error:
        return KeyProblem(True, f"the key could not be looked up: {error.detail}")
    problem = KeyProblem(False, "no key is published")
    for text in answer.records[:_KEYS_TRIED]:
        try:
            record = parse_key_record(text)
        except KeyRecordError as error:
            problem = KeyProblem(False, str(error))
            continue
        if record.key_type != key_type:
            problem = KeyProblem(False, "the key is of another type than the signature")
        elif record.bits > bits_most:
            problem = KeyProblem(False, f"a key of {record.bits} bits is too long to be checked")
        else:
            return record
    return problem


def _read(position: int, value: bytes, now: float) -> DkimResult | Candidate:
    tags: Mapping[str, str] = {}
    try:
        tags = tags_of(value)
        if tags.get("v") != "1":
            raise SignatureSyntaxError("v= is not 1")
        signature = read_signature(tags)
        if b"from" not in signature.names:
            raise SignatureSyntaxError("From is not signed")
        if signature.expires_at is not None and signature.expires_at < now:
            raise SignatureSyntaxError("the signature has expired")
        if signature.signed_at is not None and signature.signed_at > now + _CLOCK_SKEW:
            raise SignatureSyntaxError("signed in the future")
    except SignatureSyntaxError as error:
        return DkimResult(
            result="permerror",
            domain=tags.get("d", "")[:255].lower(),
            selector=tags.get("s", "")[:255],
            reason=str(error),
            signature=shown(tags),
        )
    return Candidate(position, signature, shown(tags))


def _verify(
    message: CheckedMessage, candidates: Sequence[Candidate], keys: Mapping[KeyName, KeyRecord | KeyProblem]
) -> list[DkimResult]:
    usable = [one.signature for one in candidates if isinstance(keys[key_name(one.signature)], KeyRecord)]
    hashes = hash_body(message, map(body_form, usable))
    forms = HeaderForms.of(message)
    return [_judge(one, keys[key_name(one.signature)], hashes, forms) for one in candidates]


def body_form(signature: Signature) -> BodyForm:
    """How the signature hashes the body."""
    return BodyForm(signature.body_canonicalization, signature.length)


def _judge(
    candidate: Candidate, key: KeyRecord | KeyProblem, hashes: Mapping[BodyForm, BodyHash], forms: HeaderForms
) -> DkimResult:
    signature = candidate.signature
    if isinstance(key, KeyProblem):
        return candidate.result("temperror" if key.temporary else "permerror", key.reason)
    if key.key_type == "rsa" and key.bits < LEAST_BITS:
        return candidate.result("fail", f"a key of {key.bits} bits proves nothing (RFC 8301)", testing=key.is_testing)
    if key.only_same_domain and signature.identity.rpartition("@")[2].lower() != signature.domain:
        return candidate.result("permerror", "the key is not for subdomains", testing=key.is_testing)
    body = hashes[body_form(signature)]
    if signature.length is not None and signature.length > body.size:
        return candidate.result("fail", "the body is shorter than what was signed", testing=key.is_testing)
    if body.digest != signature.body_hash:
        return candidate.result("fail", "the body was changed", testing=key.is_testing)
    form = signature.header_canonicalization
    signed = forms.covered(signature.names, form, candidate.position) + forms.unsigned(candidate.position, form)
    if not key.verify(signature.value, signed):
        return candidate.result("fail", "the header was changed, or the key is another", testing=key.is_testing)
    unsigned = 0 if signature.length is None else body.size - signature.length
    reason = f"{unsigned} octets of the body are not signed" if unsigned else "in test mode" if key.is_testing else ""
    return candidate.result("pass", reason, testing=key.is_testing, unsigned=unsigned)
