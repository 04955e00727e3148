"""An SMTP server that counts and throws away, in a process of its own."""

import asyncio
import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvloop

_POLL = 0.01


class _Session(asyncio.Protocol):
    def __init__(self, count: Any) -> None:
        self._count = count
        self._buffer = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's transports are none by class
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer:
            ending = b"\r\n.\r\n" if self._in_data else b"\r\n"
            end = self._buffer.find(ending)
            if end < 0:
                if self._in_data:
                    self._buffer = self._buffer[-4:]
                return
            line, self._buffer = self._buffer[:end], self._buffer[end + len(ending) :]
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        if self._in_data:
            self._in_data = False
            with self._count.get_lock():
                self._count.value += 1
            self._transport.write(b"250 2.0.0 taken\r\n")
            return
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._transport.write(b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            self._in_data = True
            self._transport.write(b"354 go\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 ok\r\n")


def _serve(count: Any, ready: multiprocessing.connection.Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Session(count), "127.0.0.1", 0, backlog=500)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


class Sink:
    """The running sink."""

    def __init__(self, port: int, count: Any) -> None:
        self.port = port
        self._count = count

    @property
    def count(self) -> int:
        """Messages taken so far."""
        return int(self._count.value)

    def wait_for(self, count: int, seconds: float) -> None:
        """Return when that many were taken. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self.count < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.count} of {count} messages came")
            time.sleep(_POLL)


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink on a free port."""
    context = multiprocessing.get_context("spawn")
    count = context.Value("q", 0)
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(count, theirs), daemon=True)
    process.start()
    try:
        yield Sink(ours.recv(), count)
    finally:
        process.kill()
        process.join()
