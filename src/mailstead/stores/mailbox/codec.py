"""Compression of chunks: zstd where it saves, with a dictionary of the mailbox's own where there is one.

chunk.encoding = 0 as it is | 1 zstd | 16 + N zstd with dictionary N. A dictionary is learned from a mailbox's own
messages (compaction.py) and lies in its encrypted file, so it tells nobody anything.
"""

import threading
from typing import Literal

import apsw
import zstandard

from mailstead.stores.mailbox.connection import select

Kind = Literal["header", "body"]
KINDS: tuple[Kind, ...] = ("header", "body")
PLAIN, ZSTD, FIRST_DICTIONARY = 0, 1, 16
_LEVEL, _DICTIONARY_LEVEL = 1, 3
_LEAST = 64
MOST_WITH_DICTIONARY = 64 * 1024  # past this a dictionary saves next to nothing
_MOST_PLAINTEXT = 512 * 1024

_local = threading.local()  # compressors are not thread-safe: each thread has its own


def _compressors() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    pair: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] | None = getattr(_local, "pair", None)
    if pair is None:
        pair = _local.pair = (zstandard.ZstdCompressor(level=_LEVEL), zstandard.ZstdDecompressor())
    return pair


class Codec:
    """Belongs to one connection and is used by one thread at a time, like it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._newest: dict[Kind, int] = {}
        self._learned: dict[int, zstandard.ZstdCompressionDict] = {}
        self._compressors: dict[int, zstandard.ZstdCompressor] = {}
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}
        self.load()

    def load(self) -> None:
        """Read the dictionaries that the file has; those of other processes are noticed when first met."""
        for identifier, kind, data in select(self._connection, "SELECT id, kind, data FROM dictionary ORDER BY id"):
            if not data:
                continue  # nothing could be learned of that kind
            self._newest[KINDS[kind]] = identifier
            if identifier not in self._learned:
                self._learned[identifier] = zstandard.ZstdCompressionDict(data)

    def encode(self, data: bytes, kind: Kind = "body") -> tuple[int, bytes]:
        """Encoding and stored form of a chunk."""
        if len(data) < _LEAST:
            return PLAIN, data
        identifier = self._newest.get(kind) if len(data) <= MOST_WITH_DICTIONARY else None
        if identifier is None:
            encoding, packed = ZSTD, _compressors()[0].compress(data)
        else:
            compressor = self._compressors.get(identifier)
            if compressor is None:
                learned = self._learned[identifier]
                learned.precompute_compress(level=_DICTIONARY_LEVEL)
                compressor = zstandard.ZstdCompressor(level=_DICTIONARY_LEVEL, dict_data=learned)
                self._compressors[identifier] = compressor
            encoding, packed = FIRST_DICTIONARY + identifier, compressor.compress(data)
        return (encoding, packed) if len(packed) < len(data) - len(data) // 16 else (PLAIN, data)

    def is_newest(self, encoding: int, kind: Kind) -> bool:
        """Whether a chunk in `encoding` would gain nothing by the newest dictionary."""
        return encoding == FIRST_DICTIONARY + self._newest.get(kind, -FIRST_DICTIONARY)

    def decode(self, encoding: int, data: bytes) -> bytes:
        """The chunk."""
        if encoding == PLAIN:
            return data
        if encoding == ZSTD:
            return _compressors()[1].decompress(data, max_output_size=_MOST_PLAINTEXT)
        identifier = encoding - FIRST_DICTIONARY
        decompressor = self._decompressors.get(identifier)
        if decompressor is None:
            if identifier not in self._learned:
                self.load()
            decompressor = zstandard.ZstdDecompressor(dict_data=self._learned[identifier])
            self._decompressors[identifier] = decompressor
        return decompressor.decompress(data, max_output_size=_MOST_PLAINTEXT)
