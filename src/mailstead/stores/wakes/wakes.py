"""The earliest time at which something in a mailbox wakes. What wakes is known to the mailbox alone."""

import msgspec

from mailstead.foundation.errors import NotFoundError
from mailstead.stores.documents.interface import (
    Collection,
    CollectionSpec,
    ConflictError,
    Documents,
    DuplicateError,
    Index,
)

WAKES = CollectionSpec("wake", (Index(("at",)),))
_BATCH = 1000
_ATTEMPTS = 10


class Wake(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox, and when to look into it (seconds since the epoch)."""

    id: str
    at: float
    version: int


class Wakes:
    """All of them. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def _collection(self) -> Collection:
        return await self._documents.collection(WAKES)

    async def note(self, mailbox_id: str, at: float) -> None:
        """Look into the mailbox then, unless it is looked into before. Raises ConflictError.

        Called before the change of the mailbox, so that a crash between the two forgets nothing, and once more after
        it: whoever looked into it in between has not seen the change, and sees from the version that he has not.
        """
        kept = await self._collection()
        for _ in range(_ATTEMPTS):
            known = await kept.get(mailbox_id)
            try:
                if known is None:
                    await kept.insert({"id": mailbox_id, "at": at})
                else:
                    await kept.update(mailbox_id, {"at": min(known["at"], at)}, version=known["version"])
            except (DuplicateError, ConflictError, NotFoundError):
                continue
            return
        raise ConflictError

    async def due(self, now: float) -> list[Wake]:
        """Mailboxes to look into, at most a thousand."""
        found = await (await self._collection()).find({"at": {"$lte": now}}, order=[("at", 1)], limit=_BATCH)
        return [msgspec.convert(one, Wake) for one in found]

    async def settle(self, wake: Wake, following: float | None) -> None:
        """The mailbox was looked into; next at `following`, None: not. What was noted meanwhile stays due."""
        kept = await self._collection()
        try:
            if following is None:
                await kept.delete(wake.id, version=wake.version)
            else:
                await kept.update(wake.id, {"at": following}, version=wake.version)
        except (ConflictError, NotFoundError):
            return
