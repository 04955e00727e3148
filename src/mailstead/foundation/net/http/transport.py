"""What uvicorn's protocols take for a transport: the socket host's connection."""

import asyncio
from typing import Any, cast

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DisconnectedError, WriteTimeoutError


class ConnectionTransport(asyncio.Transport):
    """Writes go through the connection, its back-pressure comes back as pause and resume of the protocol."""

    def __init__(self, connection: Connection, high_water: int, write_timeout: float) -> None:
        super().__init__()
        self.protocol: asyncio.Protocol = asyncio.Protocol()
        self._connection = connection
        self._high_water = high_water
        self._write_timeout = write_timeout
        self._unflushed = 0
        self._flushing: asyncio.Task[None] | None = None
        self._readable = asyncio.Event()
        self._readable.set()
        self._closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Peer and own address, and something true for `sslcontext` under TLS."""
        peer, local = self._connection.peer, self._connection.local
        known = {
            "peername": (peer.address, peer.port),
            "sockname": (local.address, local.port),
            "sslcontext": self._connection.tls,
        }
        return known.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another protocol reads on: the upgrade to WebSocket."""
        self.protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who reads."""
        return self.protocol

    def is_closing(self) -> bool:
        """Whether the session is over."""
        return self._closing

    def close(self) -> None:
        """End the session once everything written is sent."""
        self._closing = True
        self._readable.set()
        self._connection.finish_reading()

    def abort(self) -> None:
        """End the session at once."""
        self.close()
        self._connection.abort()

    def pause_reading(self) -> None:
        """The application has enough to work on."""
        if not self._closing:
            self._readable.clear()

    def resume_reading(self) -> None:
        """The application wants more."""
        self._readable.set()

    async def readable(self) -> None:
        """Wait until the application wants more."""
        await self._readable.wait()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; past the high-water mark the protocol is paused until the peer took it."""
        self._connection.write(bytes(data))
        self._unflushed += len(data)
        if self._unflushed > self._high_water and self._flushing is None:
            self.protocol.pause_writing()
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            await self._connection.flush(self._write_timeout)
        except (WriteTimeoutError, DisconnectedError):
            self.abort()
        finally:
            self._unflushed = 0
            self._flushing = None
            self.protocol.resume_writing()

    async def flushed(self) -> None:
        """Wait for a flush that is under way."""
        if self._flushing is not None:
            await asyncio.wait((self._flushing,))
