"""An IMAP session without sockets, and a real listener."""

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from mailstead.foundation.net.connection import Connection, Endpoint
from mailstead.foundation.net.errors import DisconnectedError
from mailstead.foundation.net.server import ListenerTLS
from mailstead.protocols.imap.server import TOO_MANY, imap_handler
from mailstead.protocols.imap.session import ImapServices
from support.dialogue import listening
from support.installation import HOSTNAME, Installation

_LONGEST = 20.0
_CLIENT = Endpoint("127.0.0.1", 40000)
_SERVER = Endpoint("127.0.0.1", 143)


def imap_services(made: Installation) -> ImapServices:
    return ImapServices(made.authenticator, made.mailboxes, made.bus, made.settings, made.metrics, made.clock, HOSTNAME)


class _Memory(asyncio.Transport):
    """What the session writes is kept; `arrived` is set with it and when the session closes."""

    def __init__(self, protocol: asyncio.BaseProtocol, *, tls: bool) -> None:
        super().__init__({"cipher": ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)} if tls else {})
        self._protocol = protocol
        self._closing = False
        self.sent = bytearray()
        self.arrived = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data
        self.arrived.set()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self.arrived.set()
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()


class _Watched(Connection):
    """A connection that tells when somebody waits for input on it."""

    def __init__(self) -> None:
        super().__init__("c1", "imap", peer=_CLIENT, local=_SERVER)
        self.waiting = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.waiting.clear()
        super().data_received(data)

    def eof_received(self) -> bool:
        self.waiting.clear()
        return super().eof_received()

    async def read(self, timeout: float) -> bytes:
        if not self.has_buffered_input():
            self.waiting.set()
        try:
            return await super().read(timeout)
        finally:
            self.waiting.clear()


class MemoryTalk:
    """A client of the server's handler on a connection without a socket.

    What the handler raises is raised by `close`. With `tls` the connection counts as protected; it cannot be made so
    by STARTTLS.
    """

    def __init__(self, services: ImapServices, *, tls: bool = False) -> None:
        self._connection = _Watched()
        self._connection.tls_context = ssl.create_default_context
        self._transport = _Memory(self._connection, tls=tls)
        self._connection.connection_made(self._transport)
        self.task = asyncio.get_running_loop().create_task(self._run(services))

    async def _run(self, services: ImapServices) -> None:
        try:
            await imap_handler(services)(self._connection)
        except DisconnectedError:
            assert self._transport.is_closing(), "the client is there"
        finally:
            await self._connection.close()
            self._transport.arrived.set()

    async def send(self, data: bytes) -> None:
        self._connection.data_received(data)

    async def _arrival(self) -> bool:
        """Wait for more; False when the session is over."""
        if self._transport.is_closing():
            return False
        self._transport.arrived.clear()
        async with asyncio.timeout(_LONGEST):
            await self._transport.arrived.wait()
        return True

    async def read_line(self) -> bytes:
        sent = self._transport.sent
        while (end := sent.find(b"\n")) < 0 and await self._arrival():
            pass
        if end < 0:
            end = sent.find(b"\n")
        line = bytes(sent[: end + 1]) if end >= 0 else bytes(sent)
        del sent[: len(line)]
        return line

    def take(self) -> bytes:
        """All that was said and not read yet."""
        sent = bytes(self._transport.sent)
        self._transport.sent.clear()
        return sent

    async def start_tls(self) -> None:
        raise NotImplementedError("TLS needs a socket")

    async def settled(self) -> None:
        """Returns when the session waits for the client, or is over."""
        waiting = asyncio.ensure_future(self._connection.waiting.wait())
        async with asyncio.timeout(_LONGEST):
            await asyncio.wait({self.task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def is_silent(self) -> bool:
        await self.settled()
        return not self._transport.sent

    async def end_of_input(self) -> None:
        """The client sends no more."""
        self._connection.eof_received()

    async def close(self) -> None:
        self._transport.close()
        await self.task


def imap_server(made: Installation, tls: ListenerTLS = "starttls") -> AbstractAsyncContextManager[tuple[int, Path]]:
    """A real listener on 127.0.0.1: its port and the authority's certificate."""
    return listening(made, "imap", imap_handler(imap_services(made)), TOO_MANY, tls)
