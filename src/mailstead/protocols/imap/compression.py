"""DEFLATE in both directions (RFC 4978), bounded: input is inflated a piece at a time."""

import zlib

from mailstead.foundation.net.connection import Connection
from mailstead.protocols.imap.errors import ClosedError

_PIECE = 64 * 1024
_LEVEL, _MEMORY = 3, 5
_RAW = -zlib.MAX_WBITS


class Compression:
    """What compresses one session; never switched off."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY)
        self._inflate = zlib.decompressobj(_RAW)
        self._was_full = False
        self._pending = False

    def compress(self, data: bytes) -> bytes:
        """`data`, as far as it comes out now; see `flush`."""
        self._pending = True
        return self._deflate.compress(data)

    def flush(self) -> bytes:
        """What was held back, so that the client can read all that was written."""
        if not self._pending:
            return b""
        self._pending = False
        return self._deflate.flush(zlib.Z_SYNC_FLUSH)

    async def read(self, connection: Connection, timeout: float) -> bytes:
        """The next piece of input, b"" at its end. Raises ClosedError for what is not DEFLATE."""
        while True:
            data = self._inflate.unconsumed_tail
            if not data and not self._was_full:
                data = await connection.read(timeout)
                if not data:
                    return b""
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                raise ClosedError("Not compressed as agreed") from None
            self._was_full = len(piece) == _PIECE
            if piece or self._inflate.eof:
                return piece
