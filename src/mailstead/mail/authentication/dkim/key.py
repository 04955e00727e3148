"""Key records (RFC 6376 §3.6.1, RFC 8463 §4) and verifying with a key."""

import hashlib
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailstead.mail.authentication.dkim.signature import KeyType
from mailstead.mail.authentication.tags import TagSyntaxError, base64_value, colon_list, parse_tags

_RECORD_LIMIT = 8192  # a key of 16,384 bits takes 2,800
_EXPONENT_BITS = 64


class KeyRecordError(Exception):
    """The record holds no key that can be used; says why."""


class KeyRecord(msgspec.Struct, frozen=True):
    """A published key; `bits` of an RSA modulus. `only_same_domain`: `i=` may name no subdomain (t=s)."""

    key: RSAPublicKey | Ed25519PublicKey
    key_type: KeyType
    bits: int
    is_testing: bool
    only_same_domain: bool

    def verify(self, signature: bytes, signed: bytes) -> bool:
        """Whether `signature` is of this key over `signed`, by SHA-256."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, hashlib.sha256(signed).digest())  # RFC 8463 §3
            else:
                self.key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def parse_key_record(text: str) -> KeyRecord:
    """The key in a TXT record. Raises KeyRecordError."""
    if len(text) > _RECORD_LIMIT:
        raise KeyRecordError("the key record is too long")
    return _parse(text)


@lru_cache(maxsize=1024)
def _parse(text: str) -> KeyRecord:
    try:
        tags = parse_tags(text)
    except TagSyntaxError as error:
        raise KeyRecordError(f"the key record cannot be read: {error}") from error
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        raise KeyRecordError("the record is of another version")
    if "p" not in tags:
        raise KeyRecordError("the record holds no key")
    if not tags["p"]:
        raise KeyRecordError("the key was revoked")
    if "h" in tags and "sha256" not in [name.lower() for name in colon_list(tags["h"])]:
        raise KeyRecordError("the key is not for sha256")
    if "s" in tags and not {"*", "email"} & {name.lower() for name in colon_list(tags["s"])}:
        raise KeyRecordError("the key is not for mail")
    flags = [flag.lower() for flag in colon_list(tags.get("t", ""))]
    try:
        material = base64_value(tags["p"])
    except TagSyntaxError as error:
        raise KeyRecordError("p= is not base64") from error
    match tags.get("k", "rsa").lower():
        case "rsa":
            key = _rsa_key(material)
            return KeyRecord(key, "rsa", key.key_size, "y" in flags, "s" in flags)
        case "ed25519":
            return KeyRecord(_ed25519_key(material), "ed25519", 256, "y" in flags, "s" in flags)
        case _:
            raise KeyRecordError("the key is of an unknown type")


def _rsa_key(material: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(material)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRecordError("p= is no RSA key") from error
    if not isinstance(key, RSAPublicKey) or key.public_numbers().e.bit_length() > _EXPONENT_BITS:
        raise KeyRecordError("p= is no RSA key")
    return key


def _ed25519_key(material: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(material)
    except ValueError as error:
        raise KeyRecordError("p= is no Ed25519 key") from error
