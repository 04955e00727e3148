"""A connection to a bus outside of this process, as RemoteBus needs it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias


class LinkLostError(Exception):
    """The other side is gone, or did not answer in time."""


OnEvent: TypeAlias = Callable[[str, str, bytes], None]  # pattern, channel, payload; once for each pattern that fits


class Link(Protocol):
    """One connection; lost once, lost for good: `lost` is set then and another one is made."""

    lost: asyncio.Event
    listening: set[str]  # the patterns whose events come for certain

    async def call(self, operation: str, *arguments: Any) -> Any:
        """Carry out one of OPERATIONS. Raises LinkLostError, or BusLostError when only this call failed."""
        ...

    async def listen(self, pattern: str) -> None:
        """Let the events of `pattern` come; they do when this returns. Raises LinkLostError."""
        ...

    def forget(self, pattern: str) -> None:
        """Let the events of `pattern` come no more."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


Connector: TypeAlias = Callable[[OnEvent], Awaitable[Link]]  # raises LinkLostError

# What a link can be asked for: the methods of Entries, and two more.
OPERATIONS = frozenset(
    {"increment", "counter", "acquire", "renew", "release", "store", "fetch", "discard", "publish", "ping"}
)
