"""Collections that are shared with accounts here."""

from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

Rights = Literal["read", "write"]
MOST_SHARES = 200
"""Shares that an account may give."""
SHARES = CollectionSpec(
    "share", (Index(("owner", "collection_id", "sharee"), unique=True), Index(("sharee",)), Index(("owner",)))
)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One collection, shown to one other account. `owner` and `sharee` are mailbox ids."""

    id: str
    owner: str
    kind: Literal["calendar", "addressbook"]
    collection_id: int
    sharee: str
    rights: Rights
    created_at: float
    version: int = 0


class Shares:
    """All shares."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(SHARES)

    async def of_owner(self, mailbox_id: str) -> list[Share]:
        """What somebody shares, oldest first."""
        return [msgspec.convert(one, Share) for one in await (await self._collection()).find({"owner": mailbox_id})]

    async def with_sharee(self, mailbox_id: str) -> list[Share]:
        """What is shared with somebody, oldest first."""
        return [msgspec.convert(one, Share) for one in await (await self._collection()).find({"sharee": mailbox_id})]

    async def give(
        self, owner: str, kind: Literal["calendar", "addressbook"], collection_id: int, sharee: str, rights: Rights
    ) -> Share:
        """Share a collection, or change the rights of one that is."""
        collection = await self._collection()
        where = {"owner": owner, "collection_id": collection_id, "sharee": sharee}
        changed = await collection.claim(where, {"rights": rights})
        if changed is not None:
            return msgspec.convert(changed, Share)
        now = self._clock.now()
        share = Share(
            id=new_ulid(now),
            owner=owner,
            kind=kind,
            collection_id=collection_id,
            sharee=sharee,
            rights=rights,
            created_at=now,
            version=1,
        )
        document: dict[str, Any] = msgspec.to_builtins(share)
        del document["version"]
        await collection.insert(document)
        return share

    async def take_back(self, owner: str, collection_id: int, sharee: str = "") -> int:
        """End the shares of a collection, or the one with `sharee`; how many there were."""
        where: dict[str, Any] = {"owner": owner, "collection_id": collection_id}
        if sharee:
            where["sharee"] = sharee
        return await (await self._collection()).delete_many(where)

    async def forget(self, mailbox_id: str) -> None:
        """End all shares of and with a mailbox that is gone."""
        collection = await self._collection()
        await collection.delete_many({"owner": mailbox_id})
        await collection.delete_many({"sharee": mailbox_id})
