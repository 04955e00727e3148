"""Load over kept SMTP connections: every message is another one, commands are pipelined, all replies are read."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import cast

import uvloop

from benchmarks.clients import RefusedError

_LONGEST = 900.0


class _Connection(asyncio.Protocol):
    """Takes messages from a shared supply until it is empty."""

    def __init__(self, supply: Iterator[tuple[str, bytes]], done: "asyncio.Future[None]") -> None:
        self._supply = supply
        self._done = done
        self._buffer = b""
        self._body = b""
        self._expected = [b"220"]
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's transports are none by class

    def connection_lost(self, _: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(RefusedError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n")) >= 0:
            line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
            if line[3:4] != b"-":
                self._reply(line)

    def _reply(self, line: bytes) -> None:
        if not self._expected or not line.startswith(self._expected.pop(0)):
            if not self._done.done():
                self._done.set_exception(RefusedError(line.decode("utf-8", "replace")))
            return
        if self._expected:
            return
        assert self._transport is not None
        if line.startswith(b"220"):
            self._expected = [b"250"]
            self._transport.write(b"EHLO client.example\r\n")
        elif self._body:
            self._transport.writelines((self._body, b".\r\n"))
            self._body = b""
            self._expected = [b"250"]
        else:
            self._next()

    def _next(self) -> None:
        assert self._transport is not None
        found = next(self._supply, None)
        if found is None:
            self._transport.write(b"QUIT\r\n")
            if not self._done.done():
                self._done.set_result(None)
            return
        recipient, self._body = found
        self._expected = [b"250", b"250", b"354"]
        self._transport.write(f"MAIL FROM:<sender@client.example>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())


def send_all(port: int, messages: Sequence[tuple[str, bytes]], sessions: int) -> None:
    """Send (recipient, message) pairs, lines not beginning with a dot, over `sessions` connections; back when all were taken.

    Raises RefusedError, TimeoutError.
    """

    async def run() -> None:
        loop = asyncio.get_running_loop()
        supply = iter(messages)
        ends = [loop.create_future() for _ in range(sessions)]
        for end in ends:
            await loop.create_connection(lambda end=end: _Connection(supply, end), "127.0.0.1", port)  # type: ignore[misc]
        async with asyncio.timeout(_LONGEST):
            await asyncio.gather(*ends)

    uvloop.run(run())
