"""Links that show a calendar to everybody who has them."""

import hashlib
import secrets
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

LINKS = CollectionSpec("calendar_link", (Index(("hash",), unique=True), Index(("owner",))))
_OCTETS = 30


class CalendarLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link to the calendar of a mailbox; of its secret only the hash is kept."""

    id: str
    owner: str
    collection_id: int
    hash: bytes
    created_at: float
    version: int = 0


def link_hash(text: str) -> bytes:
    """The text has 240 random bits: a plain hash tells nothing."""
    return hashlib.sha256(text.encode()).digest()


class CalendarLinks:
    """All links."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(LINKS)

    async def make(self, owner: str, collection_id: int) -> tuple[CalendarLink, str]:
        """A new link and its secret, which is shown this once."""
        text = secrets.token_urlsafe(_OCTETS)
        now = self._clock.now()
        link = CalendarLink(
            id=new_ulid(now), owner=owner, collection_id=collection_id, hash=link_hash(text), created_at=now, version=1
        )
        document: dict[str, Any] = msgspec.to_builtins(link, builtin_types=(bytes,))
        del document["version"]
        await (await self._collection()).insert(document)
        return link, text

    async def find(self, text: str) -> CalendarLink | None:
        """The link with that secret."""
        document = await (await self._collection()).find_one({"hash": link_hash(text)})
        return None if document is None else msgspec.convert(document, CalendarLink)

    async def of_owner(self, mailbox_id: str) -> list[CalendarLink]:
        """Somebody's links, oldest first."""
        found = await (await self._collection()).find({"owner": mailbox_id})
        return [msgspec.convert(one, CalendarLink) for one in found]

    async def remove(self, owner: str, collection_id: int) -> int:
        """End all links to a calendar; how many there were."""
        return await (await self._collection()).delete_many({"owner": owner, "collection_id": collection_id})
