"""Keys from secrets of high entropy: HKDF-SHA256 (RFC 5869)."""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32


def derive_key(secret: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """A key of 32 octets for one `purpose`; different purposes give keys that tell nothing of each other."""
    return HKDF(hashes.SHA256(), KEY_SIZE, salt or None, f"mailstead {purpose}".encode()).derive(secret)


def keyed_hash(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(key, data, hashlib.sha256).digest()
