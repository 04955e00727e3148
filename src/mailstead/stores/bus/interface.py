"""The contract of a bus; every engine keeps it and one suite tests them (tests/contract/bus).

Keys and channels are texts of at most 512 characters. A subscription names one channel, or with a `*` at its end every
channel that starts so. Callbacks are plain functions; they run on the event loop, in the order of the events.

While a remote bus is lost, the setting `on_loss` decides: `open` goes on in this process's memory alone, `closed`
raises BusLostError. Either way the bus comes back by itself, subscribes again, and calls `on_gap`.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from mailstead.foundation.errors import InvalidError, TemporaryError

Callback: TypeAlias = Callable[[str, bytes], None]
OnGap: TypeAlias = Callable[[], None]
NAME_LIMIT = 512


class BusLostError(TemporaryError):
    """The bus does not answer and the setting `on_loss` says not to go on without it."""

    public_text = "Temporarily unavailable"


class Subscription(Protocol):
    """One callback on one channel or prefix."""

    def close(self) -> None:
        """No callback is called after this. A second call does nothing."""
        ...


class Bus(Protocol):
    """Every method may raise BusLostError, and InvalidError for names and payloads past their limits."""

    @property
    def is_linked(self) -> bool:
        """Whether the bus is shared now; False while it is lost."""
        ...

    async def open(self) -> None:
        """Connect; a bus that is away now is looked for in the background."""
        ...

    async def close(self) -> None:
        """End all subscriptions and let go."""
        ...

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send `payload` to every subscription of `channel`, in every process, this one included."""
        ...

    async def subscribe(self, channel: str, callback: Callback, *, on_gap: OnGap | None = None) -> Subscription:
        """Call `callback(channel, payload)` for each event from now on; effective when this returns.

        `on_gap` is called when events may have been lost: read again what they were about.
        """
        ...

    async def increment(self, key: str, expires_in: float, amount: int = 1) -> int:
        """Add to a counter and return its value; it ends `expires_in` seconds after its first increment."""
        ...

    async def counter(self, key: str) -> int:
        """A counter's value; 0 when there is none."""
        ...

    async def acquire(self, lease: str, owner: str, seconds: float) -> int:
        """Take or extend a lease: its fencing token, or 0 while another owner holds it.

        Each change of owner gives a greater token, so that a store can refuse one who was late.
        """
        ...

    async def renew(self, lease: str, owner: str, seconds: float) -> bool:
        """Extend a lease; False when `owner` does not hold it any more."""
        ...

    async def release(self, lease: str, owner: str) -> bool:
        """Give a lease back; False when `owner` does not hold it."""
        ...

    async def store(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep `value` for `expires_in` seconds."""
        ...

    async def fetch(self, key: str) -> bytes | None:
        """The value kept under `key`."""
        ...

    async def discard(self, key: str) -> bool:
        """Forget the value kept under `key`; False when there was none. Only one of several callers gets True."""
        ...


def check_name(name: str) -> str:
    """`name` itself. Raises InvalidError when it is empty, too long, or holds a lone surrogate."""
    if not 0 < len(name) <= NAME_LIMIT or any(0xD800 <= ord(character) <= 0xDFFF for character in name):
        raise InvalidError(detail="a name on the bus has 1 to 512 characters")
    return name


def check_payload(payload: bytes, limit: int) -> bytes:
    """`payload` itself. Raises InvalidError past `limit` bytes."""
    if len(payload) > limit:
        raise InvalidError(detail=f"{len(payload)} bytes on the bus")
    return payload


def check_duration(seconds: float) -> float:
    """`seconds` itself. Raises InvalidError unless it is more than 0 and at most ten years."""
    if not 0 < seconds <= 10 * 366 * 86400:
        raise InvalidError(detail="a duration on the bus")
    return seconds
