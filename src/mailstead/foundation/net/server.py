"""The socket host of line protocols: counts, upgrades, runs one handler task per connection, drains.

A connection's way: accept, PROXY header where the peer is a trusted proxy, limits by the client's address, TLS handshake
where it is implicit, handler, close. A handler that raises ends its own connection only, and a connection is counted
until it is really gone.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Literal

import msgspec
import structlog

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import UNIX, Connection, Endpoint, endpoint_of
from mailstead.foundation.net.errors import (
    ConnectionLimitError,
    DisconnectedError,
    DrainingError,
    ListenError,
    ProxyHeaderError,
    ReadTimeoutError,
    StartTLSError,
    WriteTimeoutError,
)
from mailstead.foundation.net.limits import ConnectionLimits, Networks
from mailstead.foundation.net.listen import Acceptor, Listening
from mailstead.foundation.net.proxy import parse_header, wanted_octets
from mailstead.foundation.tls.contexts import TLSContexts

Handler = Callable[[Connection], Awaitable[None]]
ListenerTLS = Literal["none", "starttls", "implicit", "detect"]
_CUT_TIMEOUT = 1.0
_TLS_HANDSHAKE = b"\x16"
_QUIET = (DisconnectedError, DrainingError, ReadTimeoutError, WriteTimeoutError, ConnectionResetError)

log = structlog.get_logger("mailstead.net")


class Listener(msgspec.Struct, frozen=True):
    """Where and how to listen.

    `host` may be `unix:/path`, or `*` for all addresses. With `proxy`, connections from trusted networks begin with a
    PROXY header; listeners for our own processes (LMTP, metrics) do without. With `detect`, a connection whose first
    octet begins a TLS handshake gets TLS and any other none: for HTTP, where the client always speaks first.
    """

    name: str
    host: str
    port: int
    tls: ListenerTLS = "none"
    proxy: bool = True


class LineServer:
    """One service's listeners; `too_many` is the line sent to a connection over the limits."""

    def __init__(
        self,
        service: str,
        handler: Handler,
        listeners: Sequence[Listener],
        *,
        contexts: TLSContexts | None,
        limits: NetworkSettings,
        too_many: bytes,
        metrics: Metrics,
        clock: Clock | None = None,
        listening: Listening | None = None,
    ) -> None:
        """Without `listening` its sockets are its own alone."""
        self._service = service
        self._listening = listening or Listening()
        self._handler = handler
        self._listeners = tuple(listeners)
        self._contexts = contexts
        self._settings = limits
        self._too_many = too_many
        self._limits = ConnectionLimits(limits, clock or SystemClock())
        self._proxy_trusted = Networks(limits.proxy_trusted)
        self._acceptors: list[Acceptor] = []
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._draining = False
        self._open = metrics.gauge("connections", "Open connections", ("service",)).labels(service)
        self._accepted = metrics.counter("connections_accepted", "Accepted connections", ("service",)).labels(service)
        self._handshakes_failed = metrics.counter(
            "tls_handshakes_failed", "TLS handshakes that failed", ("service",)
        ).labels(service)
        self._refused = metrics.counter("connections_refused", "Connections over a limit", ("service",)).labels(service)

    async def start(self) -> dict[str, int]:
        """Listen; returns each listener's real port (0 for unix sockets). Raises ListenError."""
        ports: dict[str, int] = {}
        for listener in self._listeners:
            try:
                sockets = await self._listening.sockets(listener.name, listener.host, listener.port)
            except OSError as error:
                self._stop_accepting()
                place = f"{listener.host}:{listener.port}" if listener.port else listener.host
                raise ListenError(listener.name, place, error) from error
            for opened in sockets:
                accepted = partial(self._accepted_on, listener)
                self._acceptors.append(Acceptor(opened, accepted, is_shared=self._listening.is_shared))
                ports[listener.name] = 0 if opened.family == socket.AF_UNIX else opened.getsockname()[1]
        return ports

    def _accepted_on(self, listener: Listener, taken: socket.socket, peer: Endpoint) -> None:
        proxied = listener.proxy and peer is not UNIX and peer.address in self._proxy_trusted
        if not proxied and not self._admit(listener, taken, peer):
            return
        local = endpoint_of(taken.getsockname())
        connection = Connection(
            new_ulid(),
            listener.name,
            peer=peer,
            local=local,
            read_high_water=self._settings.read_high_water,
            write_high_water=self._settings.write_high_water,
            close_timeout=self._settings.close_timeout,
            linger=True,
        )
        session = self._run(listener, connection, taken, proxied)
        task = asyncio.get_running_loop().create_task(session)
        self._tasks[task] = connection
        task.add_done_callback(self._ended)

    def _admit(self, listener: Listener, taken: socket.socket, peer: Endpoint) -> bool:
        """Count the connection, or tell and close it."""
        try:
            self._limits.admit(peer.address)
        except ConnectionLimitError as error:
            self._refused.inc()
            log.info("connection refused", service=self._service, peer=peer.address, why=str(error))
            if listener.tls != "implicit":
                _send_last(taken, self._too_many)
            taken.close()
            return False
        self._accepted.inc()
        self._open.inc()
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def _run(self, listener: Listener, connection: Connection, taken: socket.socket, proxied: bool) -> None:
        counted = not proxied
        try:
            if proxied:
                await self._read_proxy_header(connection, taken)
                counted = self._admit(listener, taken, connection.peer)
                if not counted:
                    return
            connection.hold = self._limits.hold
            await self._attach(listener, connection, taken)
            if self._draining:
                connection.begin_draining()
            await self._handler(connection)
        except _QUIET as error:
            log.debug("connection ended", service=self._service, connection=connection.id, why=str(error))
        except StartTLSError as error:
            self._handshakes_failed.inc()
            log.debug("handshake failed", service=self._service, connection=connection.id, why=str(error))
        except ProxyHeaderError as error:
            self._refused.inc()
            log.warning("proxy header refused", service=self._service, peer=connection.peer.address, why=str(error))
        except MailsteadError as error:
            log.warning("session failed", service=self._service, connection=connection.id, why=str(error))
        except Exception:  # the last wall: one session's bug must not end the others
            log.exception("session crashed", service=self._service, connection=connection.id)
        finally:
            try:
                await connection.close()
            finally:
                taken.close()
                if counted:
                    self._open.dec()
                    self._limits.release(connection.peer.address, connection.account)

    async def _attach(self, listener: Listener, connection: Connection, taken: socket.socket) -> None:
        """Give the connection its transport, after the handshake where TLS is implicit."""
        loop = asyncio.get_running_loop()
        wanted = listener.tls
        if wanted == "detect":
            wanted = "implicit" if await self._begins_handshake(taken) else "none"
        if wanted == "none" or self._contexts is None:
            await loop.connect_accepted_socket(lambda: connection, taken)
            return
        connection.tls_context = self._contexts.server
        connection.tls_timeout = self._settings.tls_handshake_timeout
        if wanted == "starttls":
            await loop.connect_accepted_socket(lambda: connection, taken)
            return
        try:
            await loop.connect_accepted_socket(
                lambda: connection,
                taken,
                ssl=self._contexts.server(),
                ssl_handshake_timeout=self._settings.tls_handshake_timeout,
                ssl_shutdown_timeout=self._settings.close_timeout,
            )
        except OSError as error:
            raise StartTLSError(detail=str(error) or type(error).__name__) from error

    async def _begins_handshake(self, taken: socket.socket) -> bool:
        """Whether the first octet, which stays unread, begins a TLS record of a handshake (RFC 8446 §5.1)."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return taken.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
            except BlockingIOError:
                readable = loop.create_future()
                loop.add_reader(taken.fileno(), _arrived, readable)
                try:
                    async with asyncio.timeout(self._settings.tls_handshake_timeout):
                        await readable
                except TimeoutError:
                    raise ReadTimeoutError from None
                finally:
                    loop.remove_reader(taken.fileno())

    async def _read_proxy_header(self, connection: Connection, taken: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        received = b""
        try:
            async with asyncio.timeout(self._settings.proxy_timeout):
                while wanted := wanted_octets(received):
                    data = await loop.sock_recv(taken, wanted)
                    if not data:
                        raise DisconnectedError
                    received += data
        except TimeoutError as error:
            raise ProxyHeaderError("no PROXY header in time") from error
        header = parse_header(received)
        if header.source is not None and header.destination is not None:
            connection.peer, connection.local = header.source, header.destination

    def _stop_accepting(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors.clear()

    async def drain(self, timeout: float) -> None:
        """Accept nothing new, let each session finish its command within `timeout` seconds, then cut."""
        self._draining = True
        self._stop_accepting()
        for connection in self._tasks.values():
            connection.begin_draining()
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=timeout)
        for task in late:
            self._tasks[task].abort()
            task.cancel()
        if late:
            log.warning("sessions cut at the stop", service=self._service, count=len(late))
            await asyncio.wait(late, timeout=_CUT_TIMEOUT)


def _arrived(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


def _send_last(taken: socket.socket, line: bytes) -> None:
    try:
        taken.send(line)
    except OSError as error:  # the peer is gone or takes nothing: it need not be told
        log.debug("refusal not sent", why=str(error))
