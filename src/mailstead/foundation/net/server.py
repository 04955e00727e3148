"""The socket host of line protocols: accepts, counts, upgrades, runs one handler task per connection, drains.

Listeners always accept in the clear and upgrade afterwards, so that PROXY headers, STARTTLS and implicit TLS take one
path. A handler that raises ends its own connection only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import (
    ConnectionLimitError,
    DisconnectedError,
    DrainingError,
    ProxyHeaderError,
    ReadTimeoutError,
    StartTLSError,
    WriteTimeoutError,
)
from mailstead.foundation.net.limits import ConnectionLimits, Networks
from mailstead.foundation.net.proxy import FIXED_SIZE, ProxyHeader, header_size, parse_header
from mailstead.foundation.tls.contexts import TLSContexts

Handler = Callable[[Connection], Awaitable[None]]
UNIX_PREFIX = "unix:"
_BACKLOG = 512
_QUIET = (DisconnectedError, DrainingError, ReadTimeoutError, WriteTimeoutError, StartTLSError, ConnectionResetError)

log = structlog.get_logger("mailstead.net")


class Listener(msgspec.Struct, frozen=True):
    """Where and how to listen; a host of the form `unix:/path` is a unix socket."""

    name: str
    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"] = "none"


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
    ) -> None:
        self._service = service
        self._handler = handler
        self._listeners = tuple(listeners)
        self._contexts = contexts
        self._settings = limits
        self._too_many = too_many
        self._limits = ConnectionLimits(limits, clock or SystemClock())
        self._proxy_trusted = Networks(limits.proxy_trusted)
        self._servers: list[asyncio.Server] = []
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._draining = False
        self._open = metrics.gauge("connections", "Open connections", ("service",)).labels(service)
        self._accepted = metrics.counter("connections_accepted", "Accepted connections", ("service",)).labels(service)
        self._refused = metrics.counter("connections_refused", "Connections over a limit", ("service",)).labels(service)

    async def start(self) -> dict[str, int]:
        """Listen; returns each listener's real port (0 for unix sockets). Raises OSError."""
        ports: dict[str, int] = {}
        for listener in self._listeners:
            make = partial(self._accept, listener)
            loop = asyncio.get_running_loop()
            if listener.host.startswith(UNIX_PREFIX):
                path = Path(listener.host.removeprefix(UNIX_PREFIX))
                path.unlink(missing_ok=True)
                server: asyncio.Server = await loop.create_unix_server(make, str(path), backlog=_BACKLOG)
                path.chmod(0o600)
                ports[listener.name] = 0
            else:
                server = await loop.create_server(
                    make, listener.host, listener.port, backlog=_BACKLOG, reuse_address=True
                )
                ports[listener.name] = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        return ports

    def _accept(self, listener: Listener) -> Connection:
        connection = Connection(
            new_ulid(),
            listener.name,
            read_high_water=self._settings.read_high_water,
            write_high_water=self._settings.write_high_water,
            on_made=partial(self._made, listener),
        )
        if self._contexts is not None and listener.tls != "none":
            connection.tls_context = self._contexts.server
            connection.tls_timeout = self._settings.tls_handshake_timeout
        return connection

    def _made(self, listener: Listener, connection: Connection) -> None:
        connection.set_no_delay()
        task = asyncio.get_running_loop().create_task(self._run(listener, connection))
        self._tasks[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def _run(self, listener: Listener, connection: Connection) -> None:
        admitted = ""
        try:
            if connection.peer.address in self._proxy_trusted:
                await self._read_proxy_header(connection)
            try:
                self._limits.admit(connection.peer.address)
            except ConnectionLimitError:
                self._refused.inc()
                if listener.tls != "implicit":
                    connection.write(self._too_many)
                return
            admitted = connection.peer.address
            connection.hold = self._limits.hold
            self._accepted.inc()
            self._open.inc()
            if self._draining:
                connection.begin_draining()
            if listener.tls == "implicit":
                await connection.start_tls()
            await self._handler(connection)
        except _QUIET as error:
            log.debug("connection ended", service=self._service, connection=connection.id, why=str(error))
        except ProxyHeaderError as error:
            log.warning("proxy header refused", service=self._service, peer=connection.peer.address, why=str(error))
        except MailsteadError as error:
            log.warning("session failed", service=self._service, connection=connection.id, why=str(error))
        except Exception:  # the last wall: one session's bug must not end the others
            log.exception("session crashed", service=self._service, connection=connection.id)
        finally:
            if admitted:
                self._open.dec()
                self._limits.release(admitted, connection.account)
            await connection.close()

    async def _read_proxy_header(self, connection: Connection) -> None:
        found = b""
        wanted = FIXED_SIZE
        async with asyncio.timeout(self._settings.proxy_timeout):
            while len(found) < wanted:
                data = await connection.read(self._settings.proxy_timeout)
                if not data:
                    raise DisconnectedError
                found += data
                if len(found) >= FIXED_SIZE:
                    wanted = header_size(found[:FIXED_SIZE])
        header: ProxyHeader = parse_header(found[:wanted])
        connection.unread(found[wanted:])
        if header.source is not None and header.destination is not None:
            connection.peer, connection.local = header.source, header.destination

    async def drain(self, timeout: float) -> None:
        """Accept nothing new, let each session finish its command within `timeout` seconds, then cut."""
        self._draining = True
        for server in self._servers:
            server.close()
        for connection in self._tasks.values():
            connection.begin_draining()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=timeout)
            for task in late:
                self._tasks[task].abort()
                task.cancel()
            if late:
                log.warning("sessions cut at the stop", service=self._service, count=len(late))
                await asyncio.wait(late, timeout=1.0)
        for listener in self._listeners:
            if listener.host.startswith(UNIX_PREFIX):
                Path(listener.host.removeprefix(UNIX_PREFIX)).unlink(missing_ok=True)
