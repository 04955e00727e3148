"""A public key as an owner gave it, read and checked."""

from collections.abc import Callable

from mailstead.mail.encryption import openpgp, smime
from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.stores.directory.records import Encryption

KEY_LIMIT = 256 * 1024
"""Octets of a key, in whatever form."""

ENCRYPT: dict[str, Callable[[bytes, bytes], tuple[bytes, bytes]]] = {
    "openpgp": openpgp.encrypt_entity,
    "smime": smime.encrypt_entity,
}
"""By kind: from an entity and the key to the content fields and the body that replace it. Raises UnusableKeyError."""


def read_key(text: bytes, now: float) -> Encryption:
    """An OpenPGP key or an X.509 certificate, armoured, PEM or binary; only its public part is kept.

    Raises UnusableKeyError.
    """
    if len(text) > KEY_LIMIT:
        raise UnusableKeyError(f"A key has at most {KEY_LIMIT} octets")
    stripped = text.strip()
    if b"-----BEGIN PGP" in stripped:
        found = openpgp.read(stripped)
    elif b"-----BEGIN CERTIFICATE" in stripped or stripped[:1] == b"\x30":
        found = smime.read(stripped)
    else:
        found = openpgp.read(text)
    if found.expires_at is not None and found.expires_at <= now:
        raise UnusableKeyError("The key has expired")
    return found
