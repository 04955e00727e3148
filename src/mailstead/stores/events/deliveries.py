"""The durable queue of event deliveries, and its history."""

from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

State = Literal["waiting", "delivered", "failed"]
KEPT = 30 * 86400.0
_ATTEMPTS_SHOWN = 20
_SPEC = CollectionSpec(
    "event_delivery",
    (
        Index(("state", "due_at")),
        Index(("hook_id", "created_at")),
        Index(("created_at",), expire_after=KEPT),
    ),
)


class Attempt(msgspec.Struct, frozen=True):
    """One attempt; `status` is HTTP's, 0 without an answer."""

    at: float
    status: int
    text: str


class EventDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one hook; times in seconds since the epoch. A worker has it until `lease_until`."""

    id: str
    hook_id: str
    domain: str
    url: str
    event: str
    body: bytes
    state: State
    created_at: float
    due_at: float
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    worker: str = ""


class EventDeliveries:
    """All deliveries; every write is durable when it returns. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(_SPEC)

    async def add(self, delivery: EventDelivery) -> bool:
        """Keep a delivery; False when it was there."""
        document: dict[str, Any] = msgspec.to_builtins(delivery, builtin_types=(bytes,))
        try:
            await (await self._collection()).insert(document)
        except DuplicateError:
            return False
        return True

    async def get(self, identifier: str) -> EventDelivery | None:
        """The delivery of that id."""
        document = await (await self._collection()).get(identifier)
        return None if document is None else msgspec.convert(document, EventDelivery)

    async def claim(self, worker: str, lease: float) -> EventDelivery | None:
        """The longest due delivery, for `worker` alone during `lease` seconds: it is due again after that."""
        now = self._clock.now()
        document = await (await self._collection()).claim(
            {"state": "waiting", "due_at": {"$lte": now}},
            {"due_at": now + lease, "worker": worker},
            order=[("due_at", 1)],
        )
        return None if document is None else msgspec.convert(document, EventDelivery)

    async def next_due(self) -> float | None:
        """When the next delivery is due."""
        found = await (await self._collection()).find_one({"state": "waiting"}, order=[("due_at", 1)])
        return None if found is None else float(found["due_at"])

    async def settle(self, delivery: EventDelivery, attempt: Attempt, state: State, due_at: float) -> None:
        """Note what came of an attempt of the worker that claimed it."""
        attempts = (*delivery.attempts, attempt)[-_ATTEMPTS_SHOWN:]
        changes = {
            "state": state,
            "due_at": due_at,
            "tries": delivery.tries + 1,
            "attempts": msgspec.to_builtins(attempts),
            "worker": "",
        }
        await (await self._collection()).claim({"id": delivery.id, "worker": delivery.worker}, changes)

    async def put_off(self, delivery: EventDelivery, due_at: float) -> None:
        """Give a claim back untried: it is due at `due_at`."""
        await (await self._collection()).claim(
            {"id": delivery.id, "worker": delivery.worker}, {"due_at": due_at, "worker": ""}
        )

    async def send_again(self, identifier: str) -> EventDelivery | None:
        """Make a delivery due now, whatever came of it; None when there is none."""
        changes = {"state": "waiting", "due_at": self._clock.now(), "tries": 0, "worker": ""}
        document = await (await self._collection()).claim({"id": identifier}, changes)
        return None if document is None else msgspec.convert(document, EventDelivery)

    async def of_hook(self, hook_id: str, *, state: str = "", limit: int, after: str = "") -> list[EventDelivery]:
        """The latest deliveries of a hook, newest first; those after the one of the id `after`."""
        collection = await self._collection()
        where = {"hook_id": hook_id} | ({"state": state} if state else {})
        last = await collection.get(after) if after else None
        found = await collection.find(where, order=[("created_at", -1)], limit=limit, after=last)
        return [msgspec.convert(document, EventDelivery) for document in found]

    async def forget(self, hook_id: str) -> int:
        """Remove all deliveries of a hook that is gone."""
        return await (await self._collection()).delete_many({"hook_id": hook_id})
