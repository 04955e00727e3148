"""The bus of one process."""

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.entries import Entries
from mailstead.stores.bus.interface import Callback, OnGap, check_duration, check_name, check_payload
from mailstead.stores.bus.subscriptions import LocalSubscription, Subscriptions


class MemoryBus:
    """Everything in this process's memory; never lost, gone with the process."""

    def __init__(self, settings: BusSettings, clock: Clock) -> None:
        self._settings = settings
        self._entries = Entries(clock, settings.entry_limit)
        self._subscriptions = Subscriptions()

    @property
    def is_linked(self) -> bool:
        """Always."""
        return True

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """End all subscriptions."""
        self._subscriptions.close()
        self._entries.clear()

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send an event."""
        self._subscriptions.dispatch(check_name(channel), check_payload(payload, self._settings.payload_limit))

    async def subscribe(self, channel: str, callback: Callback, *, on_gap: OnGap | None = None) -> LocalSubscription:
        """Listen; there are no gaps."""
        return self._subscriptions.add(check_name(channel), callback, on_gap)

    async def increment(self, key: str, expires_in: float, amount: int = 1) -> int:
        """Add to a counter."""
        return self._entries.increment(check_name(key), check_duration(expires_in), amount)

    async def counter(self, key: str) -> int:
        """A counter's value."""
        return self._entries.counter(check_name(key))

    async def acquire(self, lease: str, owner: str, seconds: float) -> int:
        """Take or extend a lease."""
        return self._entries.acquire(check_name(lease), check_name(owner), check_duration(seconds))

    async def renew(self, lease: str, owner: str, seconds: float) -> bool:
        """Extend a lease."""
        return self._entries.renew(check_name(lease), check_name(owner), check_duration(seconds))

    async def release(self, lease: str, owner: str) -> bool:
        """Give a lease back."""
        return self._entries.release(check_name(lease), check_name(owner))

    async def store(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep a value."""
        checked = check_payload(value, self._settings.payload_limit)
        self._entries.store(check_name(key), checked, check_duration(expires_in))

    async def fetch(self, key: str) -> bytes | None:
        """The value kept."""
        return self._entries.fetch(check_name(key))

    async def discard(self, key: str) -> bool:
        """Forget a value."""
        return self._entries.discard(check_name(key))
