"""Waiting for a condition."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

_LONGEST = 20.0


def eventually_sync(condition: Callable[[], object], *, longest: float = _LONGEST, pause: float = 0.005) -> None:
    """The same where no event loop runs; `pause` in seconds for conditions that cost something to look at."""
    deadline = time.monotonic() + longest
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(pause)


async def eventually(condition: Callable[[], object | Awaitable[object]]) -> None:
    """Returns when `condition`, or what it awaits, is true; fails the test after 20 seconds."""
    async with asyncio.timeout(_LONGEST):
        while True:
            found = condition()
            if await found if isawaitable(found) else found:
                return
            await asyncio.sleep(0.005)
