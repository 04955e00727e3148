"""What happens to a domain's mail, told to its hooks: written down here, delivered by the worker."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.bus.interface import Bus, BusLostError
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import EventHook, EventKind
from mailstead.stores.events.deliveries import EventDeliveries, EventDelivery

CHANNEL = "events"
log = structlog.get_logger("mailstead.events")


def moment(seconds: float) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Events:
    """Tells hooks. Most domains have none: then this costs a look into a cache."""

    def __init__(self, directory: Directory, deliveries: EventDeliveries, bus: Bus, clock: Clock) -> None:
        self._directory = directory
        self._deliveries = deliveries
        self._bus = bus
        self._clock = clock

    async def tell(
        self, kind: EventKind, domain: str, data: dict[str, Any], *, once: str, extra: dict[str, Any] | None = None
    ) -> int:
        """Write an event down for every hook of `domain` that wants it; returns how many were new.

        `once` names the event among those of its kind: the same again is told no second time. `extra` stands beside
        `data` in the body. Raises StoreUnavailableError.
        """
        found = await self._directory.domain(domain)
        hooks = [] if found is None else [one for one in found.hooks if one.enabled and kind in one.events]
        told = 0
        for hook in hooks:
            told += await self._write(hook, kind, domain, data, extra or {}, once)
        if told:
            await self.wake()
        return told

    async def try_to_tell(self, kind: EventKind, domain: str, data: dict[str, Any], *, once: str) -> None:
        """The same where mail must not be held up for it: a store that does not answer is logged."""
        await self._quietly(lambda: self.tell(kind, domain, data, once=once), kind)

    async def test(self, hook: EventHook, domain: str) -> str:
        """Write a test event down for one hook; returns the delivery's id. Raises StoreUnavailableError."""
        once = new_ulid(self._clock.now())
        await self._write(hook, "test", domain, {"text": "A test of this hook"}, {}, once)
        await self.wake()
        return _identifier(hook.id, "test", once)

    async def _write(
        self, hook: EventHook, kind: str, domain: str, data: dict[str, Any], extra: dict[str, Any], once: str
    ) -> bool:
        now = self._clock.now()
        identifier = _identifier(hook.id, kind, once)
        body = extra | {"id": identifier, "type": kind, "domain": domain, "created_at": moment(now), "data": data}
        return await self._deliveries.add(
            EventDelivery(
                id=identifier,
                hook_id=hook.id,
                domain=domain,
                url=hook.url,
                event=kind,
                body=msgspec.json.encode(body),
                state="waiting",
                created_at=now,
                due_at=now,
            )
        )

    async def wake(self) -> None:
        """Let the workers look."""
        try:
            await self._bus.publish(CHANNEL, b"")
        except BusLostError:
            log.debug("nobody was woken, the worker looks by itself")

    @staticmethod
    async def _quietly(work: Callable[[], Awaitable[int]], kind: str) -> None:
        try:
            await work()
        except TemporaryError as error:
            log.warning("an event was not told", kind=kind, why=str(error))


def _identifier(hook_id: str, kind: str, once: str) -> str:
    named = "\0".join((hook_id, kind, once)).encode("utf-8", "surrogatepass")
    return f"evt_{hashlib.sha256(named).hexdigest()[:32]}"
