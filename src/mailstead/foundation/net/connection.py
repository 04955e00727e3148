"""One TCP connection: what arrived, what is to be sent, and TLS, over one asyncio protocol.

Invariants: `read` hands out bytes in order and once; bytes that arrived before a TLS handshake never reach a reader
after it; at most `read_high_water` (and one chunk of the loop's) of unread input is held; writes of one loop turn leave
as one.

A read waits on one future. Its timer is armed once and moved on only when it fires too early, so that a busy session
does not make and cancel a timer for every command.
"""

import _ssl
import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from mailstead.foundation.net.errors import (
    DisconnectedError,
    DrainingError,
    ReadInterruptedError,
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


UNIX = Endpoint("unix", 0)
_NOWHERE = Endpoint("", 0)
_MAPPED = "::ffff:"
_CLOSE_ROUNDS = 30  # of close_timeout each: the end of what a slow but reading peer gets


def endpoint_of(name: Any) -> Endpoint:
    """The endpoint of a socket's address; an IPv4 address that came over an IPv6 socket is written as IPv4."""
    if not isinstance(name, tuple):
        return UNIX
    address: str = name[0]
    if address.startswith(_MAPPED) and "." in address:
        address = address.removeprefix(_MAPPED)
    return Endpoint(address, name[1])


class Connection(asyncio.Protocol):
    """One connection, accepted or made; methods are for the task that owns it."""

    __slots__ = (
        "_close_timeout",
        "_closing",
        "_deadline",
        "_drained",
        "_ended",
        "_finished",
        "_gone",
        "_input",
        "_input_size",
        "_linger",
        "_loop",
        "_out",
        "_paused",
        "_read_high_water",
        "_timer",
        "_timer_at",
        "_transport",
        "_waiter",
        "_write_high_water",
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
        peer: Endpoint = _NOWHERE,
        local: Endpoint = _NOWHERE,
        read_high_water: int = 256 * 1024,
        write_high_water: int = 256 * 1024,
        close_timeout: float = 2.0,
        linger: bool = False,
    ) -> None:
        self.id = identifier
        self.listener = listener
        self.peer = peer
        self.local = local
        self.tls: TLSInformation | None = None
        self.draining = False
        self.account = ""
        self.hold: Callable[[str], None] | None = None
        self.tls_context: Callable[[], ssl.SSLContext] | None = None
        self.tls_timeout = 20.0
        self._read_high_water = read_high_water
        self._write_high_water = write_high_water
        self._close_timeout = close_timeout
        self._linger = linger
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._input: list[bytes] = []
        self._input_size = 0
        self._out: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._deadline = 0.0
        self._write_paused = self._paused = self._ended = self._closing = self._finished = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A transport is there: a plain one, or one whose TLS handshake is done."""
        if not self.peer.address:
            self.peer = endpoint_of(transport.get_extra_info("peername"))
            self.local = endpoint_of(transport.get_extra_info("sockname"))
        self._use(cast(asyncio.Transport, transport))

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=self._write_high_water)
        self._write_paused = False
        cipher = transport.get_extra_info("cipher")
        if cipher is not None:
            self.tls = TLSInformation(cipher[1], cipher[0], cipher[2])

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._closing:
            return
        self._input.append(data)
        self._input_size += len(data)
        if self._input_size > self._read_high_water and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        if self._waiter is not None:
            self._wake()

    def eof_received(self) -> bool:
        """The peer sends no more; what it asked for is still answered (plain connections can be half closed)."""
        self._ended = True
        self._wake()
        return self.tls is None and not self._closing

    def pause_writing(self) -> None:
        """Unsent bytes passed the high-water mark."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Enough was sent."""
        self._write_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        """The connection is gone, by either side."""
        self._ended = True
        self._transport = None
        self._out.clear()
        self._wake()
        self.resume_writing()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # for the session

    def has_buffered_input(self) -> bool:
        """Whether bytes arrived that nobody read yet."""
        return self._input_size > 0

    def discard_input(self) -> None:
        """Forget unread bytes."""
        self._take_input()

    def unread(self, data: bytes) -> None:
        """Put back bytes that the next reader is to get first."""
        if data:
            self._input.insert(0, data)
            self._input_size += len(data)

    def finish_reading(self) -> None:
        """From now on a read that finds nothing returns b"": the session itself is over."""
        self._finished = True
        self._wake()

    def begin_draining(self) -> None:
        """From now on a read that finds nothing raises DrainingError."""
        self.draining = True
        self._wake()

    def interrupt(self) -> None:
        """End a read that waits by ReadInterruptedError; nothing happens while none does."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ReadInterruptedError())

    async def read(self, timeout: float) -> bytes:
        """What arrived, b"" when the peer sends no more.

        Waits at most `timeout` seconds. Raises ReadTimeoutError, ReadInterruptedError after `interrupt`, and
        DrainingError when the service stops while nothing is there to be read.
        """
        while not self._input:
            if self._ended or self._finished:
                return b""
            if self.draining:
                raise DrainingError
            self._deadline = self._loop.time() + timeout
            if self._timer is None or self._deadline < self._timer_at:
                self._arm()
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        return self._take_input()

    def _take_input(self) -> bytes:
        data = self._input[0] if len(self._input) == 1 else b"".join(self._input)
        self._input.clear()
        self._input_size = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._deadline:
            self._arm()
        else:
            self._waiter.set_exception(ReadTimeoutError())

    def write(self, data: bytes) -> None:
        """Send `data`; returns at once. Bytes for a peer that is gone are dropped, the next read or flush tells."""
        if not self._out:
            self._loop.call_soon(self._send)
        self._out.append(data)

    def writelines(self, data: Iterable[bytes]) -> None:
        """Send all of `data` in order."""
        if not self._out:
            self._loop.call_soon(self._send)
        self._out.extend(data)

    def _send(self) -> None:
        out = self._out
        if out:
            if self._transport is not None and not self._closing and not self._transport.is_closing():
                self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    async def flush(self, timeout: float) -> None:
        """Hand everything written to the system and wait until little is unsent.

        Raises WriteTimeoutError after `timeout` seconds, DisconnectedError when the peer is gone.
        """
        self._send()
        while self._write_paused and self._transport is not None:
            drained = self._drained = self._loop.create_future()
            timer = self._loop.call_later(timeout, _expire_write, drained)
            try:
                await drained
            finally:
                timer.cancel()
                self._drained = None
        if self._transport is None or self._transport.is_closing():
            raise DisconnectedError

    async def start_tls(self) -> None:
        """Put TLS on an accepted connection after what was written so far has been sent.

        Write the reply that invites to the handshake and call this without awaiting anything between: bytes that came
        before were sent in the clear and must never be taken for protected ones (RFC 3207 §4.2, RFC 9051 §6.2.1).
        Raises StartTLSError when there are any, and when the handshake fails.
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
        transport = self._transport
        if transport is None or transport.is_closing():
            raise DisconnectedError
        if self._input or self._ended or self.tls is not None:
            raise StartTLSError(detail="TLS runs already" if self.tls else "bytes came in before the handshake")
        self._send()
        try:
            upgraded = await self._loop.start_tls(
                transport,
                self,
                context,
                server_side=server_side,
                server_hostname=server_hostname,
                ssl_handshake_timeout=timeout,
                ssl_shutdown_timeout=self._close_timeout,
            )
        except (OSError, ssl.CertificateError) as error:
            self.abort()
            raise StartTLSError(detail=str(error) or type(error).__name__) from error
        if upgraded is None or self._transport is None:
            raise StartTLSError(detail="the peer left during the handshake")
        self._use(upgraded)

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate as DER, when it showed one."""
        secured = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        found: bytes | None = secured.getpeercert(True) if secured is not None else None
        return found

    def peer_chain(self) -> list[bytes]:
        """The certificates that the peer showed, as DER, its own first, none of them verified here; [] without TLS."""
        secured = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        if secured is None:
            return []
        if hasattr(secured, "get_unverified_chain"):
            return list(secured.get_unverified_chain() or ())
        # before Python 3.13 only the object beneath tells
        return [
            certificate.public_bytes(_ssl.ENCODING_DER) for certificate in secured._sslobj.get_unverified_chain() or ()
        ]

    async def hold_account(self, account: str) -> None:
        """Count this connection for `account` until it ends. Raises ConnectionLimitError."""
        if self.hold is not None and not self.account:
            self.hold(account)
            self.account = account

    async def close(self) -> None:
        """Send what was written, then close; returns when the connection is gone.

        A peer that takes nothing for `close_timeout` seconds, or too little for 30 times as long, is cut. An accepted
        connection is closed for writing first and input is thrown away until the peer closes too: closing a socket
        with unread input would make the system discard the last replies. At a stop it is not waited for.
        """
        self._send()
        self._closing = True
        self.discard_input()
        transport = self._transport
        if transport is None:
            return
        if transport.is_closing():
            return  # the peer cut it in the middle of a handshake: nothing can be said or waited for
        if self._linger and self.tls is None and not self._ended and not self.draining:
            transport.write_eof()
            transport.resume_reading()
        else:
            transport.close()
        await self._wait_until_gone()

    async def _wait_until_gone(self) -> None:
        gone = self._gone = self._loop.create_future()
        try:
            for _ in range(_CLOSE_ROUNDS):
                unsent = self._unsent()
                await asyncio.wait((gone,), timeout=self._close_timeout)
                if not 0 < self._unsent() < unsent:
                    break
        finally:
            self.abort()
        await gone

    def _unsent(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def abort(self) -> None:
        """Close at once; unsent bytes are lost."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()


def _expire_write(drained: "asyncio.Future[None]") -> None:
    if not drained.done():
        drained.set_exception(WriteTimeoutError())
