"""Telling now and then that a command is still at work (RFC 9585 §4)."""

import asyncio
from collections.abc import Callable


class Progress:
    """Calls `tell` every `interval` seconds between entering and leaving."""

    def __init__(self, interval: float, tell: Callable[[], None]) -> None:
        self._interval = interval
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._arm()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._fired)

    def _fired(self) -> None:
        self._tell()
        self._arm()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
