"""Chunked authenticated encryption: streams of any size in bounded memory.

    stream = version (1) chunk...      chunk = AES-256-GCM(64 KiB of plaintext, nonce = prefix (7) counter (4) last (1))

The STREAM construction: the counter fixes the order, the last flag the end, so that truncation, reordering and
duplication are noticed like flipped bits. The key is used for one stream only (each has a random salt or an ephemeral
key of its own), so the prefix may be zero.
"""

import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailstead.foundation.errors import PermanentError

CHUNK_SIZE = 64 * 1024
TAG_SIZE = 16
_NONCE = struct.Struct("!7sIB")
_PREFIX = bytes(7)
_COUNTER_MOST = 2**32 - 1


class SealError(PermanentError):
    """The sealed bytes are damaged, cut, or sealed under another key."""

    public_text = "Sealed data cannot be opened"


class Rechunker:
    """Collects bytes of any cut and hands them out in pieces of one size."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()
        self._ended = False

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        while len(self._held) < size and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            else:
                self._held += chunk
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def pieces(self, size: int) -> Iterator[tuple[bytes, bool]]:
        """Pieces of `size` bytes, each with whether it is the last; one empty piece for an empty stream."""
        piece = self.take(size)
        while True:
            following = self.take(size)
            yield piece, not following
            if not following:
                return
            piece = following


def encrypt_chunks(key: bytes, chunks: Iterable[bytes], associated: bytes) -> Iterator[bytes]:
    """The sealed chunks of a stream under a key that no other stream uses."""
    cipher = AESGCM(key)
    for counter, (piece, last) in enumerate(Rechunker(chunks).pieces(CHUNK_SIZE)):
        if counter > _COUNTER_MOST:
            raise SealError("stream too long")
        yield cipher.encrypt(_NONCE.pack(_PREFIX, counter, last), piece, associated)


def decrypt_chunks(key: bytes, source: Rechunker, associated: bytes) -> Iterator[bytes]:
    """The plaintext, chunk by chunk, each verified before it is given. Raises SealError."""
    cipher = AESGCM(key)
    for counter, (piece, last) in enumerate(source.pieces(CHUNK_SIZE + TAG_SIZE)):
        try:
            yield cipher.decrypt(_NONCE.pack(_PREFIX, counter, last), piece, associated)
        except (InvalidTag, ValueError) as error:
            raise SealError from error
