"""Calendars of elsewhere that are fetched into mailboxes."""

from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

SUBSCRIPTIONS = CollectionSpec(
    "calendar_subscription", (Index(("owner", "collection_id"), unique=True), Index(("due_at",)))
)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar of a mailbox that is filled from `url`; times in seconds since 1970, `error` of the last attempt."""

    id: str
    owner: str
    collection_id: int
    url: str
    due_at: float
    fetched_at: float | None = None
    etag: str = ""
    error: str = ""
    created_at: float = 0.0
    version: int = 0


class Subscriptions:
    """All subscriptions."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(SUBSCRIPTIONS)

    async def add(self, owner: str, collection_id: int, url: str) -> Subscription:
        """A new one, due at once. Raises DuplicateError when the calendar has one."""
        now = self._clock.now()
        made = Subscription(
            id=new_ulid(now), owner=owner, collection_id=collection_id, url=url, due_at=now, created_at=now, version=1
        )
        document: dict[str, Any] = msgspec.to_builtins(made)
        del document["version"]
        await (await self._collection()).insert(document)
        return made

    async def of_owner(self, mailbox_id: str) -> list[Subscription]:
        """Somebody's, oldest first."""
        found = await (await self._collection()).find({"owner": mailbox_id})
        return [msgspec.convert(one, Subscription) for one in found]

    async def of_collection(self, mailbox_id: str, collection_id: int) -> Subscription | None:
        """That of a calendar."""
        found = await (await self._collection()).find_one({"owner": mailbox_id, "collection_id": collection_id})
        return None if found is None else msgspec.convert(found, Subscription)

    async def due(self, most: int) -> list[Subscription]:
        """Those whose time has come, the longest waiting first."""
        collection = await self._collection()
        found = await collection.find({"due_at": {"$lte": self._clock.now()}}, order=(("due_at", 1),), limit=most)
        return [msgspec.convert(one, Subscription) for one in found]

    async def note(self, identifier: str, changes: dict[str, Any]) -> None:
        """Write down what became of an attempt."""
        await (await self._collection()).claim({"id": identifier}, changes)

    async def remove(self, owner: str, collection_id: int) -> int:
        """End the one of a calendar; how many there were."""
        return await (await self._collection()).delete_many({"owner": owner, "collection_id": collection_id})
