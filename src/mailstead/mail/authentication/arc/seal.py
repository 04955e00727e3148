"""Adding our set to a message's chain (RFC 8617 §5.1). Takes about a millisecond per RSA signature: use a thread."""

import msgspec

from mailstead.mail.authentication.arc.chain import INSTANCES_LIMIT, ArcSet, ChainError, collect, has_chain
from mailstead.mail.authentication.arc.result import ArcResult
from mailstead.mail.authentication.dkim.canonical import relaxed_field
from mailstead.mail.authentication.dkim.hashing import HeaderForms
from mailstead.mail.authentication.dkim.sign import SIGNED_FIELDS, SigningKey, cover, folded_base64, signed_field
from mailstead.mail.authentication.message import CheckedMessage

_RESULTS, _SIGNATURE, _SEAL = b"ARC-Authentication-Results", b"ARC-Message-Signature", b"ARC-Seal"


class SealError(Exception):
    """The message cannot be sealed; says why."""


class Sealed(msgspec.Struct, frozen=True):
    """The set's fields, to be put in front of the message, and its instance."""

    fields: bytes
    instance: int


def seal(message: CheckedMessage, chain: ArcResult, results: str, key: SigningKey, now: int) -> Sealed:
    """A set over `message` as it leaves, with `results` (the value of Authentication-Results, folded) as found here.

    `chain` is what `verify_arc` said of the message as it came. Raises SealError when the chain was marked as broken
    before, or has no room.
    """
    newest, sets = _held(message, chain)
    instance = newest + 1
    if instance > INSTANCES_LIMIT:
        raise SealError("the chain has 50 sets")
    state = "none" if chain.result == "none" else chain.result
    value = f" i={instance}; {results}".encode()
    results_field = _RESULTS + b":" + value + b"\r\n"
    signatures = sum(1 for field in message.fields if field.key == b"dkim-signature")
    names = (*SIGNED_FIELDS, *[b"dkim-signature"] * signatures)
    coverage = cover(message, names=names)
    signature_field = signed_field(_SIGNATURE, f"i={instance}", key, coverage, now)
    forms = HeaderForms(message.fields)
    pieces = [
        forms.form(position, "relaxed")
        for one in (sets if state == "pass" else ())
        for position in (one.results, one.message_signature, one.seal)
    ]
    pieces.append(relaxed_field(_RESULTS, value) + b"\r\n")
    pieces.append(relaxed_field(_SIGNATURE, signature_field.partition(b":")[2]) + b"\r\n")
    seal_value = (
        f" i={instance}; a={key.algorithm}; cv={state}; d={key.domain}; s={key.selector};\r\n\tt={now}; b="
    ).encode()
    pieces.append(relaxed_field(_SEAL, seal_value))
    seal_field = _SEAL + b":" + seal_value + folded_base64(key.sign(b"".join(pieces))) + b"\r\n"
    return Sealed(seal_field + signature_field + results_field, instance)


def _held(message: CheckedMessage, chain: ArcResult) -> tuple[int, list[ArcSet]]:
    if not has_chain(message):
        return 0, []
    try:
        sets = collect(message)
    except ChainError as error:
        raise SealError(str(error)) from error
    if len(sets) != chain.instances:
        raise SealError("the chain is another than was verified")
    return len(sets), sets
