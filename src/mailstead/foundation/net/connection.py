"""One TCP connection: what arrived, what is to be sent, and TLS, over one asyncio protocol.

Invariants: `read` hands out bytes in order and once; bytes that arrived before a TLS handshake never reach a reader
after it; at most `read_high_water` (and one chunk) of unread input is held; writes of one loop turn leave as one.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from mailstead.foundation.net.errors import (
    DisconnectedError,
    DrainingError,
    ReadTimeoutError,
    StartTLSError,
    WriteTimeoutError,
)


class Endpoint(msgspec.Struct, frozen=True):
    """An address and a port; port 0 on a unix socket."""

    address: str
    port: int


class TLSInformation(msgspec.Struct, frozen=True):
    """What was agreed: `version` like TLSv1.3, the cipher's name, its strength in bits."""

    version: str
    cipher: str
    bits: int


def _endpoint(name: Any) -> Endpoint:
    return Endpoint(name[0], name[1]) if isinstance(name, tuple) else Endpoint("unix", 0)


class Connection(asyncio.Protocol):
    """One connection, accepted or made; methods are for the task that owns it."""

    __slots__ = (
        "_drained",
        "_ended",
        "_error",
        "_high_water",
        "_input",
        "_input_size",
        "_made",
        "_on_lost",
        "_out",
        "_paused",
        "_transport",
        "_upgrading",
        "_waiter",
        "_write_paused",
        "account",
        "draining",
        "hold",
        "id",
        "listener",
        "local",
        "peer",
        "tls",
        "tls_context",
        "tls_timeout",
    )

    def __init__(
        self,
        identifier: str,
        listener: str,
        *,
        read_high_water: int = 256 * 1024,
        write_high_water: int = 256 * 1024,
        on_made: Callable[["Connection"], None] | None = None,
        on_lost: Callable[["Connection"], None] | None = None,
    ) -> None:
        self.id = identifier
        self.listener = listener
        self.peer = self.local = Endpoint("", 0)
        self.tls: TLSInformation | None = None
        self.draining = False
        self.account = ""
        self.hold: Callable[[str], None] | None = None
        self.tls_context: Callable[[], ssl.SSLContext] | None = None
        self.tls_timeout = 20.0
        self._high_water = (read_high_water, write_high_water)
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._input: list[bytes] = []
        self._input_size = 0
        self._out: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._write_paused = self._paused = self._ended = self._upgrading = False
        self._error: Exception | None = None
        self._made = on_made

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A transport is there: the plain one, or the protected one after a handshake."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._high_water[1])
        if self._upgrading:
            return
        self.peer = _endpoint(transport.get_extra_info("peername"))
        self.local = _endpoint(transport.get_extra_info("sockname"))
        if self._made is not None:
            made, self._made = self._made, None
            made(self)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        self._input.append(data)
        self._input_size += len(data)
        if self._input_size > self._high_water[0] and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The peer sends no more; what it asked for is still answered (plain connections can be half closed)."""
        self._ended = True
        self._wake()
        return self.tls is None

    def pause_writing(self) -> None:
        """Unsent bytes passed the high-water mark."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Enough was sent."""
        self._write_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, by either side."""
        self._ended = True
        self._error = error or DisconnectedError()
        self._transport = None
        self._wake()
        self.resume_writing()
        if self._on_lost is not None:
            on_lost, self._on_lost = self._on_lost, None
            on_lost(self)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # for the session

    def has_buffered_input(self) -> bool:
        """Whether bytes arrived that nobody read yet."""
        return self._input_size > 0

    def discard_input(self) -> None:
        """Forget unread bytes."""
        self._input.clear()
        self._input_size = 0

    def unread(self, data: bytes) -> None:
        """Put back bytes that the next reader is to get first."""
        if data:
            self._input.insert(0, data)
            self._input_size += len(data)

    def set_no_delay(self) -> None:
        """Send small replies at once."""
        endpoint = self._transport.get_extra_info("socket") if self._transport is not None else None
        if endpoint is not None and endpoint.family in (socket.AF_INET, socket.AF_INET6):
            endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin_draining(self) -> None:
        """From now on a read that finds nothing raises DrainingError."""
        self.draining = True
        self._wake()

    async def read(self, timeout: float) -> bytes:
        """What arrived, b"" when the peer sends no more.

        Waits at most `timeout` seconds. Raises ReadTimeoutError, and DrainingError when the service stops while
        nothing is there to be read.
        """
        while not self._input:
            if self._ended:
                return b""
            if self.draining:
                raise DrainingError
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            timer = loop.call_later(timeout, _expire, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiter = None
        data = self._input[0] if len(self._input) == 1 else b"".join(self._input)
        self._input.clear()
        self._input_size = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send `data`; returns at once. Bytes for a peer that is gone are dropped, the next read or flush tells."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._send)
        self._out.append(data)

    def writelines(self, data: Iterable[bytes]) -> None:
        """Send all of `data` in order."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._send)
        self._out.extend(data)

    def _send(self) -> None:
        out = self._out
        if out:
            if self._transport is not None:
                self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    async def flush(self, timeout: float) -> None:
        """Hand everything written to the system and wait until little is unsent.

        Raises WriteTimeoutError after `timeout` seconds, DisconnectedError when the peer is gone.
        """
        self._send()
        while self._write_paused and self._transport is not None:
            loop = asyncio.get_running_loop()
            drained = self._drained = loop.create_future()
            timer = loop.call_later(timeout, _expire_write, drained)
            try:
                await drained
            finally:
                timer.cancel()
                self._drained = None
        if self._transport is None:
            raise DisconnectedError

    async def start_tls(self) -> None:
        """Put TLS on an accepted connection after what was written so far has been sent.

        Raises StartTLSError when the handshake fails, or when bytes arrived before it: those were sent in the clear
        and must never be taken for protected ones (RFC 3207 §4.2, RFC 9051 §6.2.1).
        """
        if self.tls_context is None:
            raise StartTLSError(detail="no certificate")
        await self._upgrade(self.tls_context(), True, self.tls_timeout, None)

    async def start_client_tls(self, context: ssl.SSLContext, server_hostname: str | None, timeout: float) -> None:
        """Put TLS on a connection that was made, within `timeout` seconds. Raises StartTLSError."""
        await self._upgrade(context, False, timeout, server_hostname)

    async def _upgrade(
        self, context: ssl.SSLContext, server_side: bool, timeout: float, server_hostname: str | None
    ) -> None:
        self._send()
        transport = self._transport
        if transport is None:
            raise DisconnectedError
        if self._input:
            raise StartTLSError(detail="bytes came in before the handshake")
        self._upgrading = True
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                context,
                server_side=server_side,
                server_hostname=server_hostname,
                ssl_handshake_timeout=timeout,
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self.abort()
            raise StartTLSError(detail=str(error)) from error
        finally:
            self._upgrading = False
        if upgraded is None or self._error is not None:
            raise StartTLSError(detail="the peer left during the handshake")
        self._transport = upgraded
        cipher = upgraded.get_extra_info("cipher") or ("", "", 0)
        self.tls = TLSInformation(cipher[1], cipher[0], cipher[2])

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate as DER, when it showed one."""
        secured = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        found: bytes | None = secured.getpeercert(True) if secured is not None else None
        return found

    async def hold_account(self, account: str) -> None:
        """Count this connection for `account` until it ends. Raises ConnectionLimitError."""
        if self.hold is not None and account != self.account:
            self.hold(account)
            self.account = account

    async def close(self) -> None:
        """Send what was written, then close."""
        self._send()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once; unsent bytes are lost."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()


def _expire(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(ReadTimeoutError())


def _expire_write(drained: "asyncio.Future[None]") -> None:
    if not drained.done():
        drained.set_exception(WriteTimeoutError())
