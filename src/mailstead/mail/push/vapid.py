"""Proof of who sends a push message (RFC 8292): a token signed with the key that browsers subscribed to."""

import base64
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mailstead.foundation.crypto.derive import derive_key
from mailstead.mail.push.encryption import point_of

_LIFETIME = 12 * 3600
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HEADER = b'{"typ":"JWT","alg":"ES256"}'


def base64url(octets: bytes) -> str:
    """The URL-safe alphabet, without padding (RFC 8292 §3.2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Vapid:
    """The server's key, which follows from its secret, and what is signed with it."""

    def __init__(self, secret: bytes, contact: str) -> None:
        """`contact`: an address at which a push service reaches who runs the server."""
        number = int.from_bytes(derive_key(secret, "web push") + derive_key(secret, "web push, too"))
        self._key = ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())
        self._contact = contact

    @property
    def public_key(self) -> str:
        """What a browser subscribes to (RFC 8292 §3.2)."""
        return base64url(point_of(self._key.public_key()))

    def authorization(self, endpoint: str, now: float) -> str:
        """The Authorization field for an endpoint (RFC 8292 §3.1)."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(now) + _LIFETIME,
            "sub": f"mailto:{self._contact}",
        }
        signed = f"{base64url(_HEADER)}.{base64url(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        token = f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"
        return f"vapid t={token}, k={self.public_key}"
