"""Runs an ASGI application on a connection of the socket host."""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from mailstead.foundation.config.sections.http import HttpSettings
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError, ReadTimeoutError
from mailstead.foundation.net.http.protocol import BoundedHttpProtocol, Waiting
from mailstead.foundation.net.http.transport import ConnectionTransport
from mailstead.foundation.net.server import Handler

TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
DRAINING = "draining"
"""Key in `scope["state"]`: an asyncio.Event, set when the service stops; long answers end then."""

_NEVER = 365 * 86400.0


def http_handler(app: Any, settings: HttpSettings, network: NetworkSettings) -> Handler:
    """The handler of listeners that serve the ASGI 3 application `app`."""
    protocol_class = type("ConfiguredHttpProtocol", (BoundedHttpProtocol,), {"settings": settings})
    config = Config(
        app,
        http=protocol_class,
        ws="websockets-sansio",
        ws_max_size=settings.websocket_limit,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(settings.keep_alive),
    )
    config.load()

    async def handle(connection: Connection) -> None:
        await _Session(connection, config, protocol_class, settings, network).run()

    return handle


class _Session:
    def __init__(
        self,
        connection: Connection,
        config: Config,
        protocol_class: type[BoundedHttpProtocol],
        settings: HttpSettings,
        network: NetworkSettings,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._state = ServerState()
        self._draining = asyncio.Event()
        self._transport = ConnectionTransport(connection, network.write_high_water, network.write_timeout)
        self._http = protocol_class(config, self._state, {DRAINING: self._draining})
        self._transport.set_protocol(self._http)
        self._http.connection_made(self._transport)
        self._head_deadline: float | None = None

    async def run(self) -> None:
        """Feed the protocol until either side is done; what the application still does is then waited for."""
        try:
            while not self._transport.is_closing():
                await self._transport.readable()
                try:
                    data = await self._connection.read(self._timeout())
                except ReadTimeoutError:
                    if self._waiting() != "answer":
                        return
                    continue
                if not data:
                    return
                self._transport.protocol.data_received(data)
        except DrainingError:
            await self._finish()
        finally:
            await self._end()

    def _waiting(self) -> Waiting:
        return self._http.waiting() if self._transport.protocol is self._http else "answer"

    def _timeout(self) -> float:
        """How long the next octets may take; the header as a whole has one deadline, however its octets trickle."""
        now = asyncio.get_running_loop().time()
        waiting = self._waiting()
        if waiting != "head":
            self._head_deadline = None
        match waiting:
            case "head":
                if self._head_deadline is None:
                    self._head_deadline = now + self._settings.head_timeout
                return max(self._head_deadline - now, 0.0)
            case "body":
                return self._settings.body_timeout
            case "next":
                return self._settings.keep_alive
            case "answer":
                return _NEVER

    async def _finish(self) -> None:
        """The service stops: answers under way are finished, long ones are told to end."""
        self._draining.set()
        protocol: Any = self._transport.protocol
        protocol.shutdown()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks))

    async def _end(self) -> None:
        self._transport.protocol.connection_lost(None)
        tasks = set(self._state.tasks)
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=self._settings.body_timeout)
        finally:
            for task in self._state.tasks:
                task.cancel()
        await self._transport.flushed()
