"""What runs remember of earlier messages: senders answered, ids seen, owners told. Entries end by themselves.

An entry belongs to the delivery that made it: when that is tried again it finds the same answer as the first time.
"""

import hashlib

from mailstead.foundation.clock import Clock
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

_SPEC = CollectionSpec("sieve_memory", (Index(("ends_at",), expire_after=0.0),))


class Memory:
    """Entries by mailbox, kind ("vacation", "duplicate", "error") and key."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(_SPEC)

    @staticmethod
    def _id(mailbox_id: str, kind: str, key: str) -> str:
        text = "\0".join((mailbox_id, kind, key))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    async def is_known(self, mailbox_id: str, kind: str, key: str, delivery_id: str) -> bool:
        """Whether an entry of another delivery is there and has not ended."""
        document = await (await self._collection()).get(self._id(mailbox_id, kind, key))
        if document is None or document["ends_at"] <= self._clock.now():
            return False
        return not delivery_id or document["delivery_id"] != delivery_id

    async def claim(self, mailbox_id: str, kind: str, key: str, seconds: float, delivery_id: str) -> bool:
        """Make an entry for `seconds`; False when another delivery's lives. Durable when this returns."""
        collection = await self._collection()
        identifier = self._id(mailbox_id, kind, key)
        now = self._clock.now()
        fresh = {"ends_at": now + seconds, "delivery_id": delivery_id}
        try:
            await collection.insert({"id": identifier, **fresh})
            return True
        except DuplicateError:
            pass
        if await collection.claim({"id": identifier, "ends_at": {"$lte": now}}, fresh) is not None:
            return True
        return bool(delivery_id) and not await self.is_known(mailbox_id, kind, key, delivery_id)

    async def extend(self, mailbox_id: str, kind: str, key: str, seconds: float) -> None:
        """Let an entry live `seconds` from now on, whoever made it."""
        identifier = self._id(mailbox_id, kind, key)
        await (await self._collection()).claim({"id": identifier}, {"ends_at": self._clock.now() + seconds})
