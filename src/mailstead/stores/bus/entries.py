"""Counters, leases and values in memory, each with its end; bounded, the one that ends next makes room."""

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from mailstead.foundation.clock import Clock


class Lease(NamedTuple):
    """Who holds a lease, and the token of that."""

    owner: str
    token: int


class Entries:
    """What expires, under one limit; `clock` is asked for the time of each operation."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: dict[tuple[str, str], tuple[float, Any]] = {}
        self._ends: list[tuple[float, tuple[str, str]]] = []
        self._last_token = 0
        self._reserved_until = 0.0

    def increment(self, key: str, expires_in: float, amount: int) -> int:
        """Add to a counter and return its value."""
        entry = self._living(("counter", key))
        if entry is None:
            self._put(("counter", key), self._clock.monotonic() + expires_in, amount)
            return amount
        value: int = entry[1] + amount
        self._entries["counter", key] = (entry[0], value)
        return value

    def counter(self, key: str) -> int:
        """A counter's value or 0."""
        entry = self._living(("counter", key))
        return 0 if entry is None else int(entry[1])

    def acquire(self, lease: str, owner: str, seconds: float, token: int = 0) -> int:
        """Take or extend a lease; `token` is given by an owner who held it before this process served the bus."""
        entry = self._living(("lease", lease))
        if entry is not None:
            held: Lease = entry[1]
            if held.owner != owner:
                return 0
        elif token == 0 and self._clock.monotonic() < self._reserved_until:
            return 0
        else:
            # From the clock, so that tokens grow over restarts of whoever hands them out.
            given = token or max(self._last_token + 1, int(self._clock.now() * 1_000_000))
            self._last_token = max(self._last_token, given)
            held = Lease(owner, given)
        self._put(("lease", lease), self._clock.monotonic() + seconds, held)
        return held.token

    def reserve(self, seconds: float) -> None:
        """For so long, leases go to those only who say that they held them (with their token)."""
        self._reserved_until = self._clock.monotonic() + seconds

    def renew(self, lease: str, owner: str, seconds: float) -> bool:
        """Extend a lease that `owner` holds."""
        entry = self._living(("lease", lease))
        if entry is None or entry[1].owner != owner:
            return False
        self._put(("lease", lease), self._clock.monotonic() + seconds, entry[1])
        return True

    def release(self, lease: str, owner: str) -> bool:
        """Give back a lease that `owner` holds."""
        entry = self._living(("lease", lease))
        if entry is None or entry[1].owner != owner:
            return False
        del self._entries["lease", lease]
        return True

    def store(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep a value."""
        self._put(("value", key), self._clock.monotonic() + expires_in, value)

    def fetch(self, key: str) -> bytes | None:
        """The value kept."""
        entry = self._living(("value", key))
        return None if entry is None else entry[1]

    def discard(self, key: str) -> bool:
        """Forget a value."""
        return self._living(("value", key)) is not None and self._entries.pop(("value", key)) is not None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._ends.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _living(self, name: tuple[str, str]) -> tuple[float, Any] | None:
        entry = self._entries.get(name)
        if entry is not None and entry[0] <= self._clock.monotonic():
            del self._entries[name]
            return None
        return entry

    def _put(self, name: tuple[str, str], end: float, value: Any) -> None:
        self._entries[name] = (end, value)
        heappush(self._ends, (end, name))
        now = self._clock.monotonic()
        while self._ends and (self._ends[0][0] <= now or len(self._entries) > self._limit):
            due, known = heappop(self._ends)
            # The heap keeps the ends that were put off, too; only the present one counts.
            entry = self._entries.get(known)
            if entry is not None and entry[0] == due:
                del self._entries[known]
        if len(self._ends) > 2 * len(self._entries) + 1000:
            self._ends = [(entry_end, known) for known, (entry_end, _) in self._entries.items()]
            heapify(self._ends)
