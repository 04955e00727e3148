"""Files at rest under a key of the server: chunked AES-256-GCM, each file with a key of its own.

file = "MSR1" salt (32) chunk...
"""

import os
from collections.abc import Iterable, Iterator

from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.stream import Rechunker, SealError, decrypt_chunks, encrypt_chunks

MAGIC = b"MSR1"
_SALT_SIZE = 32


def encrypt_stream(key: bytes, chunks: Iterable[bytes], associated: bytes) -> Iterator[bytes]:
    """Encrypt `chunks`; `associated` (the file's id, say) must be given again to read it."""
    salt = os.urandom(_SALT_SIZE)
    yield MAGIC + salt
    yield from encrypt_chunks(derive_key(key, "at rest", salt), chunks, MAGIC + associated)


def decrypt_stream(key: bytes, chunks: Iterable[bytes], associated: bytes) -> Iterator[bytes]:
    """What was encrypted. Raises SealError."""
    source = Rechunker(chunks)
    header = source.take(len(MAGIC) + _SALT_SIZE)
    if len(header) != len(MAGIC) + _SALT_SIZE or not header.startswith(MAGIC):
        raise SealError("not written by this version")
    yield from decrypt_chunks(derive_key(key, "at rest", header[len(MAGIC) :]), source, MAGIC + associated)


def encrypt(key: bytes, data: bytes, associated: bytes) -> bytes:
    """Encrypt a short value."""
    return b"".join(encrypt_stream(key, (data,), associated))


def decrypt(key: bytes, data: bytes, associated: bytes) -> bytes:
    """Decrypt a short value. Raises SealError."""
    return b"".join(decrypt_stream(key, (data,), associated))
