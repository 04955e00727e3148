"""What came of earlier mail of sender domains and DKIM signers, and of networks for mail that nobody vouches for.

Counts are kept in memory and written every few seconds: what a crash loses is a little knowledge. They halve with age,
so that who mended their ways, or lost them, is seen as they are now.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import MailsteadError
from mailstead.stores.documents.interface import CollectionSpec, Documents, DuplicateError, Index

_SPEC = CollectionSpec("reputation", (Index(("ends_at",), expire_after=0.0),))
_HALF_LIFE = 30 * 86400.0
_KEPT_FOR = 180 * 86400.0
_LOOK_AGAIN = 300.0
_KNOWN_LIMIT = 20_000
_CHANGED_LIMIT = 2_000
_WRITE_AFTER = 5.0
_LEAST = 4.0
_WORST, _BEST = 3.0, -2.0

log = structlog.get_logger("mailstead.screening")


class _Standing:
    __slots__ = ("bad", "good", "looked_at")

    def __init__(self, good: float, bad: float, looked_at: float) -> None:
        self.good, self.bad, self.looked_at = good, bad, looked_at


class Reputation:
    """Standings by key: `domain:example.com`, `signer:example.com`, `network:192.0.2.0/24`."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._known: OrderedDict[str, _Standing] = OrderedDict()
        self._changed: dict[str, tuple[float, float]] = {}
        self._writing: asyncio.Task[None] | None = None

    async def points(self, keys: Iterable[str]) -> tuple[float, str]:
        """Points from -2 to 3 for the worst-known or best-known of `keys`, and which it was; 0 for strangers."""
        found = [(await self._points(key), key) for key in keys]
        return max(found, key=lambda one: abs(one[0]), default=(0.0, ""))

    async def _points(self, key: str) -> float:
        standing = await self._standing(key)
        total = standing.good + standing.bad
        if total < _LEAST:
            return 0.0
        odds = math.log((standing.bad + 0.5) / (standing.good + 0.5))
        sure = min(1.0, total / (5 * _LEAST))
        return round(max(_BEST, min(_WORST, odds * 0.7)) * sure, 1)

    async def knows_good(self, key: str) -> bool:
        """Whether mail of `key` was good before, and mostly so."""
        standing = await self._standing(key)
        return standing.good >= 2 and standing.good > 3 * standing.bad

    async def _standing(self, key: str) -> _Standing:
        now = self._clock.monotonic()
        standing = self._known.get(key)
        if standing is not None and now - standing.looked_at < _LOOK_AGAIN:
            self._known.move_to_end(key)
            return standing
        document = await (await self._documents.collection(_SPEC)).get(key)
        good = bad = 0.0
        if document is not None:
            age = 0.5 ** (max(0.0, self._clock.now() - document["at"]) / _HALF_LIFE)
            good, bad = document["good"] * age, document["bad"] * age
        waiting = self._changed.get(key, (0.0, 0.0))
        standing = self._known[key] = _Standing(good + waiting[0], bad + waiting[1], now)
        while len(self._known) > _KNOWN_LIMIT:
            self._known.popitem(last=False)
        return standing

    def note(self, keys: Iterable[str], *, junk: bool, weight: float = 1.0) -> None:
        """Count a message for each of `keys`."""
        for key in keys:
            if len(self._changed) >= _CHANGED_LIMIT and key not in self._changed:
                continue  # so many strangers in some seconds: what they are like is not worth the memory
            good, bad = self._changed.get(key, (0.0, 0.0))
            self._changed[key] = (good, bad + weight) if junk else (good + weight, bad)
            standing = self._known.get(key)
            if standing is not None:
                standing.bad += weight if junk else 0.0
                standing.good += 0.0 if junk else weight
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_later())

    async def _write_later(self) -> None:
        await asyncio.sleep(_WRITE_AFTER)
        self._writing = None
        await self.flush()

    async def flush(self) -> None:
        """Write what changed; what cannot be written now is dropped, and told in the log."""
        changed, self._changed = self._changed, {}
        try:
            for key, (good, bad) in changed.items():
                await self._add(key, good, bad)
        except MailsteadError as error:
            log.warning("reputation not written", why=str(error))

    async def _add(self, key: str, good: float, bad: float) -> None:
        collection = await self._documents.collection(_SPEC)
        now = self._clock.now()
        document = await collection.get(key)
        if document is None:
            fresh = {"good": good, "bad": bad, "at": now, "ends_at": now + _KEPT_FOR}
            try:
                await collection.insert({"id": key, **fresh})
                return
            except DuplicateError:  # another process was first
                document = await collection.get(key) or fresh
        age = 0.5 ** (max(0.0, now - document["at"]) / _HALF_LIFE)
        counts = {"good": document["good"] * age + good, "bad": document["bad"] * age + bad}
        await collection.claim({"id": key}, {**counts, "at": now, "ends_at": now + _KEPT_FOR})

    async def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        await self.flush()
