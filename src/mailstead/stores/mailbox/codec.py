"""Compression of chunks: zstd where it saves, as they are where it does not."""

import threading

import zstandard

PLAIN, ZSTD = 0, 1
_LEVEL = 1
_LEAST = 64
_MOST_PLAINTEXT = 512 * 1024


class Codec:
    """Compressors are not thread-safe: each thread has its own."""

    def __init__(self) -> None:
        self._local = threading.local()

    def _pair(self) -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
        pair: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] | None = getattr(self._local, "pair", None)
        if pair is None:
            pair = self._local.pair = (zstandard.ZstdCompressor(level=_LEVEL), zstandard.ZstdDecompressor())
        return pair

    def encode(self, data: bytes) -> tuple[int, bytes]:
        """Encoding and stored form of a chunk."""
        if len(data) >= _LEAST:
            packed = self._pair()[0].compress(data)
            if len(packed) < len(data) - len(data) // 16:
                return ZSTD, packed
        return PLAIN, data

    def decode(self, encoding: int, data: bytes) -> bytes:
        """The chunk."""
        return data if encoding == PLAIN else self._pair()[1].decompress(data, max_output_size=_MOST_PLAINTEXT)
