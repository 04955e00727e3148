"""Connections to remote servers that are kept for the next message for a little while (RFC 5321 §4.5.4.1)."""

import asyncio
from collections import OrderedDict

import msgspec
import structlog

from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.mail.outbound.targets import Target
from mailstead.mail.transport.client import Client

log = structlog.get_logger("mailstead.queue")


class OpenServer(msgspec.Struct):
    """A server that was greeted; `messages` were sent to it so far. Only what `is_reusable` is kept."""

    target: Target
    client: Client
    use_tls: bool
    messages: int = 0
    timer: asyncio.TimerHandle | None = None
    is_reusable: bool = True


class Connections:
    """Idle connections by server: few for each, not many in all, none for long."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings
        self._idle: OrderedDict[tuple[Target, bool], list[OpenServer]] = OrderedDict()
        self._count = 0
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self, target: Target, *, use_tls: bool) -> OpenServer | None:
        """A kept connection that still answers, ready for a transaction; None when there is none."""
        while (server := self._pop((target, use_tls))) is not None:
            try:
                if await server.client.reset():
                    return server
            except (MailsteadError, OSError) as error:
                log.debug("kept connection was gone", host=target.host, error=str(error))
            server.client.abort()
        return None

    def keep(self, server: OpenServer) -> None:
        """Keep a connection after a message, or close it: when it may not be used, is worn, or one too many."""
        server.messages += 1
        key = (server.target, server.use_tls)
        kept = self._idle.get(key, [])
        if (
            not server.client.usable
            or not server.is_reusable
            or server.messages >= self._settings.connection_messages
            or len(kept) >= self._settings.per_destination
            or self._settings.connection_idle <= 0
        ):
            self._close(server)
            return
        if self._count >= self._settings.workers:
            oldest = self._pop(next(iter(self._idle)))
            assert oldest is not None, "none is counted that is not there"
            self._close(oldest)
        loop = asyncio.get_running_loop()
        server.timer = loop.call_later(self._settings.connection_idle, self._expire, server)
        self._idle.setdefault(key, []).append(server)
        self._idle.move_to_end(key)
        self._count += 1

    def _pop(self, key: tuple[Target, bool]) -> OpenServer | None:
        kept = self._idle.get(key)
        if not kept:
            return None
        server = kept.pop()
        self._forget(server, key)
        return server

    def _forget(self, server: OpenServer, key: tuple[Target, bool]) -> None:
        if server.timer is not None:
            server.timer.cancel()
            server.timer = None
        self._count -= 1
        if not self._idle[key]:
            del self._idle[key]

    def _expire(self, server: OpenServer) -> None:
        key = (server.target, server.use_tls)
        self._idle[key].remove(server)
        self._forget(server, key)
        self._close(server)

    def _close(self, server: OpenServer) -> None:
        task = asyncio.get_running_loop().create_task(server.client.quit())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Say goodbye to all."""
        while self._idle:
            server = self._pop(next(iter(self._idle)))
            assert server is not None, "an entry has connections"
            self._close(server)
        if self._closing:
            await asyncio.wait(set(self._closing))
