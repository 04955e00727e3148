"""Messages encrypted to a browser (RFC 8291), in the content coding aes128gcm (RFC 8188)."""

import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstead.foundation.errors import InvalidError

PLAIN_LIMIT = 3993
"""Octets of a message: with all that is added 4096, which every push service takes (RFC 8291 §4)."""
_RECORD_SIZE = 4096
_SALT, _POINT, AUTH_OCTETS = 16, 65, 16


def read_point(octets: bytes) -> ec.EllipticCurvePublicKey:
    """An uncompressed point of P-256 (RFC 8291 §3.1). Raises InvalidError."""
    if len(octets) != _POINT:
        raise InvalidError("This is no key of a browser")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets)
    except ValueError:
        raise InvalidError("This is no key of a browser") from None


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(plain: bytes, receiver: bytes, auth: bytes) -> bytes:
    """A message for the browser whose public key and authentication secret these are. Raises InvalidError."""
    return encrypt_with(plain, receiver, auth, ec.generate_private_key(ec.SECP256R1()), os.urandom(_SALT))


def encrypt_with(plain: bytes, receiver: bytes, auth: bytes, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The same with a key and a salt that are used for no other message."""
    if len(plain) > PLAIN_LIMIT:
        raise InvalidError("The message is too large")
    shared = own.exchange(ec.ECDH(), read_point(receiver))
    sender = point_of(own.public_key())
    secret = _derive(auth, shared, b"WebPush: info\0" + receiver + sender, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, plain + b"\x02", None)  # the delimiter of the last record (RFC 8188 §2)
    return salt + _RECORD_SIZE.to_bytes(4) + bytes((_POINT,)) + sender + sealed


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
