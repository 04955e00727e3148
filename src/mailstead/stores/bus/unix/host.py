"""The process that serves the bus: its state, its own link, and those of the others."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.entries import Entries
from mailstead.stores.bus.link import OPERATIONS, OnEvent
from mailstead.stores.bus.subscriptions import LocalSubscription, Subscriptions
from mailstead.stores.bus.unix.frames import OVERHEAD, FrameProtocol

_log = structlog.get_logger("mailstead.bus")


class Host:
    """What all processes share."""

    def __init__(self, settings: BusSettings, clock: Clock) -> None:
        self.settings = settings
        self.entries = Entries(clock, settings.entry_limit)
        self.subscriptions = Subscriptions()
        self.guests: set[GuestConnection] = set()

    def carry_out(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        """One of OPERATIONS. Raises TypeError or ValueError for arguments that do not fit."""
        match operation:
            case "publish":
                self.subscriptions.dispatch(*arguments)
                return None
            case "ping":
                return None
            case _ if operation in OPERATIONS:
                return getattr(self.entries, operation)(*arguments)
        raise ValueError(operation)


class Listener:
    """The patterns of one process at the host."""

    def __init__(self, host: Host, on_event: OnEvent) -> None:
        self._host = host
        self._on_event = on_event
        self._subscriptions: dict[str, LocalSubscription] = {}

    def listen(self, pattern: str) -> None:
        """Let the events of `pattern` come."""
        if pattern not in self._subscriptions:
            callback: Callable[[str, bytes], None] = partial(self._on_event, pattern)
            self._subscriptions[pattern] = self._host.subscriptions.add(pattern, callback, None)

    def forget(self, pattern: str) -> None:
        """Let them come no more."""
        subscription = self._subscriptions.pop(pattern, None)
        if subscription is not None:
            subscription.close()

    def close(self) -> None:
        """Forget all."""
        for pattern in list(self._subscriptions):
            self.forget(pattern)


class GuestConnection(FrameProtocol):
    """Another process at the host: [number, operation, arguments...] in, [number, result] and events out."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.settings.payload_limit + OVERHEAD)
        self._host = host
        self._listener = Listener(host, self._send_event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A process came."""
        super().connection_made(transport)
        self._host.guests.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It went."""
        super().connection_lost(exc)
        self._host.guests.discard(self)
        self._listener.close()

    def received(self, message: list[Any]) -> None:
        """It asks for something."""
        try:
            number, operation, *arguments = message
            result = None
            if operation == "listen":
                self._listener.listen(*arguments)
            elif operation == "forget":
                self._listener.forget(*arguments)
            else:
                result = self._host.carry_out(operation, tuple(arguments))
        except (TypeError, ValueError, AttributeError) as error:
            # Only a program of another version says what is not understood here.
            _log.error("bus.not_understood", error=repr(error))
            self.abort()
            return
        self.send([number, result], self._host.settings.backlog_limit)

    def _send_event(self, pattern: str, channel: str, payload: bytes) -> None:
        self.send([0, pattern, channel, payload], self._host.settings.backlog_limit)


class HostLink:
    """The serving process's own link: calls without a socket."""

    def __init__(self, host: Host, server: asyncio.Server, on_event: OnEvent, release: Callable[[], None]) -> None:
        self.lost = asyncio.Event()
        self.listening: set[str] = set()
        self._host = host
        self._server = server
        self._listener = Listener(host, on_event)
        self._release = release

    async def call(self, operation: str, *arguments: Any) -> Any:
        """Carry out one operation."""
        return self._host.carry_out(operation, arguments)

    async def listen(self, pattern: str) -> None:
        """Let the events of `pattern` come."""
        self._listener.listen(pattern)
        self.listening.add(pattern)

    def forget(self, pattern: str) -> None:
        """Let them come no more."""
        self.listening.discard(pattern)
        self._listener.forget(pattern)

    async def close(self) -> None:
        """Serve no more: another process takes over."""
        self._listener.close()
        self._server.close()
        for guest in list(self._host.guests):
            await guest.hang_up()
        self._release()
