"""DKIM-Signature fields as they are read (RFC 6376 §3.5), and their kin of ARC (RFC 8617 §4.1)."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.mail.authentication.dkim.canonical import Canonicalization
from mailstead.mail.authentication.tags import TagSyntaxError, base64_value, colon_list, parse_tags, without_space

KeyType = Literal["rsa", "ed25519"]

_ALGORITHMS: Mapping[str, KeyType] = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_DIGITS = re.compile(r"[0-9]{1,76}")
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_SIGNATURE_TAG = re.compile(rb"(?:\A|;)[ \t\r\n]*b[ \t\r\n]*=")
_HASH_SIZE = 32
_SHOWN = 8


class SignatureSyntaxError(Exception):
    """The field is no signature that could be verified; says why."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature. `names` in lower case; `length` of the canonical body, None for all of it; times in seconds."""

    algorithm: str
    key_type: KeyType
    header_canonicalization: Canonicalization
    body_canonicalization: Canonicalization
    domain: str
    selector: str
    names: tuple[bytes, ...]
    body_hash: bytes
    value: bytes
    identity: str
    length: int | None = None
    signed_at: int | None = None
    expires_at: int | None = None


def tags_of(field: bytes) -> dict[str, str]:
    """The tags of a field's value. Raises SignatureSyntaxError."""
    try:
        return parse_tags(field.decode())
    except UnicodeDecodeError as error:
        raise SignatureSyntaxError("not UTF-8") from error
    except TagSyntaxError as error:
        raise SignatureSyntaxError(str(error)) from error


def read_signature(tags: Mapping[str, str]) -> Signature:
    """The signature that the tags of DKIM-Signature, or of ARC-Message-Signature, make. Raises SignatureSyntaxError."""
    for name in ("a", "b", "bh", "d", "h", "s"):
        if not tags.get(name):
            raise SignatureSyntaxError(f"{name}= lacks")
    header_form, body_form = _canonicalizations(tags.get("c", "simple/simple"))
    if "q" in tags and "dns/txt" not in [method.lower() for method in colon_list(tags["q"])]:
        raise SignatureSyntaxError("q= names no method known here")
    names = [name.lower() for name in colon_list(tags["h"])]
    if not all(_FIELD_NAME.fullmatch(name) for name in names):
        raise SignatureSyntaxError("h= is no list of field names")
    domain = domain_of(tags)
    algorithm, key_type = algorithm_of(tags)
    body_hash = _decoded("bh", tags["bh"])
    if len(body_hash) != _HASH_SIZE:
        raise SignatureSyntaxError("bh= is of the wrong size")
    signed_at, expires_at = _number("t", tags), _number("x", tags)
    if signed_at is not None and expires_at is not None and expires_at < signed_at:
        raise SignatureSyntaxError("x= is before t=")
    return Signature(
        algorithm=algorithm,
        key_type=key_type,
        header_canonicalization=header_form,
        body_canonicalization=body_form,
        domain=domain,
        selector=without_space(tags["s"]),
        names=tuple(name.encode() for name in names),
        body_hash=body_hash,
        value=_decoded("b", tags["b"]),
        identity=_identity(tags, domain),
        length=_number("l", tags),
        signed_at=signed_at,
        expires_at=expires_at,
    )


def algorithm_of(tags: Mapping[str, str]) -> tuple[str, KeyType]:
    """`a=` and the type of key it takes. Raises SignatureSyntaxError, for rsa-sha1 as well (RFC 8301 §3.1)."""
    algorithm = without_space(tags["a"]).lower()
    if algorithm == "rsa-sha1":
        raise SignatureSyntaxError("rsa-sha1 is not accepted (RFC 8301)")
    if algorithm not in _ALGORITHMS:
        raise SignatureSyntaxError("a= names no algorithm known here")
    return algorithm, _ALGORITHMS[algorithm]


def domain_of(tags: Mapping[str, str]) -> str:
    """`d=` as written, in lower case. Raises SignatureSyntaxError."""
    domain = without_space(tags["d"]).lower().removesuffix(".")
    try:
        ascii_name(domain)
        ascii_name(f"{without_space(tags['s'])}._domainkey.{domain}")
    except InvalidNameError as error:
        raise SignatureSyntaxError("d= and s= make no domain name") from error
    return domain


def without_value(field: bytes) -> bytes:
    """The field's value with `b=` emptied, as it was signed (RFC 6376 §3.7)."""
    found = _SIGNATURE_TAG.search(field)
    if found is None:
        return field
    end = field.find(b";", found.end())
    return field[: found.end()] + (field[end:] if end >= 0 else b"")


def shown(tags: Mapping[str, str]) -> str:
    """The first characters of `b=` (RFC 6008 §4)."""
    return without_space(tags.get("b", ""))[:_SHOWN]


def _canonicalizations(value: str) -> tuple[Canonicalization, Canonicalization]:
    header, slash, body = without_space(value).lower().partition("/")
    if not slash:
        body = "simple"
    known = get_args(Canonicalization)
    if header not in known or body not in known:
        raise SignatureSyntaxError("c= names no canonicalization known here")
    return "relaxed" if header == "relaxed" else "simple", "relaxed" if body == "relaxed" else "simple"


def _identity(tags: Mapping[str, str], domain: str) -> str:
    identity = without_space(tags.get("i", f"@{domain}"))
    _, at, host = identity.rpartition("@")
    host = host.lower()
    if not at or not (host == domain or host.endswith("." + domain)):
        raise SignatureSyntaxError("i= is not within d=")
    return identity


def _number(name: str, tags: Mapping[str, str]) -> int | None:
    if name not in tags:
        return None
    if _DIGITS.fullmatch(tags[name]) is None:
        raise SignatureSyntaxError(f"{name}= is no number")
    return int(tags[name])


def _decoded(name: str, value: str) -> bytes:
    try:
        return base64_value(value)
    except TagSyntaxError as error:
        raise SignatureSyntaxError(f"{name}= is {error}") from error
