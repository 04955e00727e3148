"""DKIM keys: made, published as DNS text, loaded for signing (RFC 6376 §3.6.1, RFC 8463 §4)."""

import base64
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]
PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class NewKey(msgspec.Struct, frozen=True):
    """A key pair: PKCS 8 in DER, and the TXT record that publishes its public half."""

    algorithm: Algorithm
    private_key: bytes
    public_record: str


def new_rsa_key(bits: int) -> NewKey:
    """A new RSA key; takes some tenths of a second."""
    key = generate_private_key(65537, bits)
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    return NewKey("rsa-sha256", _der(key), f"v=DKIM1; k=rsa; p={public}")


def new_ed25519_key() -> NewKey:
    """A new Ed25519 key."""
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return NewKey("ed25519-sha256", _der(key), f"v=DKIM1; k=ed25519; p={public}")


def _der(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_key(der: bytes) -> PrivateKey:
    """A key for signing; loading checks it and takes tens of milliseconds, so keep the result."""
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey | Ed25519PrivateKey)
    return key
