"""Messages over the socket: 4 bytes of length, most significant first, then a MessagePack array."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any, cast

import msgspec

OVERHEAD = 4096  # room for names and numbers beside the largest payload
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Any]).decode


def frame(message: list[Any]) -> bytes:
    """One message as bytes."""
    packed = _pack(message)
    return len(packed).to_bytes(4, "big") + packed


class FrameProtocol(asyncio.Protocol, ABC):
    """Cuts what arrives into messages; closes the connection on one that is too long or not of this form."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()

    @abstractmethod
    def received(self, message: list[Any]) -> None:
        """One message came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's have no common class with asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self._closed.set()

    async def hang_up(self) -> None:
        """Close at once and wait until it is done."""
        self.abort()
        await self._closed.wait()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if length > self._limit:
                self.abort()
                return
            if len(buffer) - start - 4 < length:
                break
            try:
                message = _unpack(bytes(buffer[start + 4 : start + 4 + length]))
            except msgspec.DecodeError:
                self.abort()
                return
            start += 4 + length
            self.received(message)
        del buffer[:start]

    def send(self, message: list[Any], backlog_limit: int) -> None:
        """Write one message; the connection is cut when more than `backlog_limit` bytes wait for the other side."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > backlog_limit:
            self.abort()
            return
        self._transport.write(frame(message))

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
