"""Sealing to a public key: whoever seals cannot open (X25519, HKDF, chunked AES-256-GCM).

sealed = "MSS1" ephemeral public key (32) chunk...
"""

from collections.abc import Iterable, Iterator

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.stream import Rechunker, SealError, decrypt_chunks, encrypt_chunks

MAGIC = b"MSS1"
_KEY_SIZE = 32


class KeyPair(msgspec.Struct, frozen=True):
    """An X25519 key pair, both halves raw."""

    public: bytes
    private: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.public.hex()})"


def new_key_pair() -> KeyPair:
    """A random key pair."""
    private = X25519PrivateKey.generate()
    return KeyPair(private.public_key().public_bytes_raw(), private.private_bytes_raw())


def seal_stream(public_key: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Seal `chunks` to the owner of `public_key`."""
    ephemeral = X25519PrivateKey.generate()
    ephemeral_public = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    yield MAGIC + ephemeral_public
    yield from encrypt_chunks(derive_key(shared, "seal", ephemeral_public + public_key), chunks, MAGIC)


def open_stream(private_key: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What was sealed. Raises SealError; what came before it was verified, but is not the whole."""
    source = Rechunker(chunks)
    header = source.take(len(MAGIC) + _KEY_SIZE)
    if len(header) != len(MAGIC) + _KEY_SIZE or not header.startswith(MAGIC):
        raise SealError("not sealed by this version")
    ephemeral_public = header[len(MAGIC) :]
    private = X25519PrivateKey.from_private_bytes(private_key)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral_public))
    except ValueError as error:  # a point of low order
        raise SealError from error
    public_key = private.public_key().public_bytes_raw()
    yield from decrypt_chunks(derive_key(shared, "seal", ephemeral_public + public_key), source, MAGIC)
