"""How running services end, in whatever process they are."""

import asyncio
import signal
from collections.abc import Sequence

import structlog

from mailstead.services.definition import Running

log = structlog.get_logger("mailstead.runtime")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def drain(running: Sequence[tuple[str, Running]], timeout: float) -> None:
    """Stop all at once, each within `timeout` seconds; one that fails to is told of in the log."""
    results = await asyncio.gather(
        *(started.drain(timeout) for _, started in reversed(running)), return_exceptions=True
    )
    for (name, _), result in zip(reversed(running), results, strict=True):
        if isinstance(result, BaseException):
            log.error("service did not stop cleanly", service=name, exc_info=result)
