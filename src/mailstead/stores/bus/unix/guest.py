"""A link to the process that serves the bus."""

import asyncio
import socket
from itertools import count
from typing import Any

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.link import LinkLostError, OnEvent
from mailstead.stores.bus.unix.frames import OVERHEAD, FrameProtocol


class GuestLink(FrameProtocol):
    """Calls by number, answers and events as they come."""

    def __init__(self, settings: BusSettings, on_event: OnEvent) -> None:
        super().__init__(settings.payload_limit + OVERHEAD)
        self.lost = asyncio.Event()
        self.listening: set[str] = set()
        self._settings = settings
        self._on_event = on_event
        self._numbers = count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}

    async def call(self, operation: str, *arguments: Any) -> Any:
        """Ask and wait for the answer. Raises LinkLostError."""
        if self.lost.is_set():
            raise LinkLostError("closed")
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self.send([number, operation, *arguments], self._settings.backlog_limit)
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await answer
        except TimeoutError:
            raise LinkLostError("no answer") from None
        finally:
            del self._calls[number]

    async def listen(self, pattern: str) -> None:
        """Let the events of `pattern` come. Raises LinkLostError."""
        await self.call("listen", pattern)
        self.listening.add(pattern)

    def forget(self, pattern: str) -> None:
        """Let them come no more."""
        self.listening.discard(pattern)
        self.send([next(self._numbers), "forget", pattern], self._settings.backlog_limit)

    async def close(self) -> None:
        """Hang up."""
        await self.hang_up()

    def received(self, message: list[Any]) -> None:
        """An answer or an event came."""
        number, *rest = message
        if number == 0:
            self._on_event(*rest)
            return
        answer = self._calls.get(number)
        if answer is not None and not answer.done():
            answer.set_result(rest[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """The serving process is gone."""
        super().connection_lost(exc)
        self.lost.set()
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(LinkLostError(f"closed: {exc}"))


async def connect_guest(path: str, settings: BusSettings, on_event: OnEvent) -> GuestLink:
    """A link to whoever serves the socket at `path`. Raises LinkLostError when nobody does."""
    loop = asyncio.get_running_loop()
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.setblocking(False)
    try:
        async with asyncio.timeout(settings.timeout):
            await loop.sock_connect(connected, path)
            _, link = await loop.create_unix_connection(lambda: GuestLink(settings, on_event), sock=connected)
    except (OSError, TimeoutError) as error:
        connected.close()
        raise LinkLostError(f"nobody serves the bus: {error!r}") from error
    try:
        await link.call("ping")
    except (LinkLostError, asyncio.CancelledError):
        await link.hang_up()
        raise
    return link
