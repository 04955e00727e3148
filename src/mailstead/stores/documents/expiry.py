"""Removing what has ended, now and then."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mailstead.stores.documents.interface import StoreUnavailableError

_log = structlog.get_logger("mailstead.documents")


class ExpiryTask:
    """Calls `expire` every `interval` seconds until stopped; never when the interval is 0."""

    def __init__(self, expire: Callable[[], Awaitable[int]], interval: float) -> None:
        self._expire = expire
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running loop."""
        if self._interval > 0:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop and wait for the end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                removed = await self._expire()
            except StoreUnavailableError as error:
                _log.warning("expiry.failed", error=str(error))
            else:
                if removed:
                    _log.debug("expiry.removed", documents=removed)
