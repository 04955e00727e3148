"""The list of messages that were sent over the API and the web."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

RECIPIENTS_SHOWN = 100


class SentRecipient(msgspec.Struct, frozen=True):
    """A recipient and what was said when the message was taken: an outcome of RecipientResult, a code, words."""

    address: str
    outcome: str
    code: int
    text: str


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message; `id` is its trace id, times are seconds since the epoch, `send_at` 0 when it went at once.

    `cancelled_at` when it was taken back before its time. `search` holds what a search looks at, in lower case.
    """

    id: str
    user_id: str
    alias_id: str
    domain: str
    sender: str
    subject: str
    message_id: str
    recipients: tuple[SentRecipient, ...]
    size: int
    created_at: float
    send_at: float = 0.0
    cancelled_at: float = 0.0
    search: str = ""


class SentMessages:
    """All of them; each is kept as long as the trace of it."""

    def __init__(self, documents: Documents, retention: float, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._spec = CollectionSpec(
            "sent",
            (
                Index(("user_id", "created_at")),
                Index(("alias_id", "created_at")),
                Index(("domain", "created_at")),
                Index(("created_at",), expire_after=retention),
            ),
        )

    async def _collection(self) -> Collection:
        return await self._documents.collection(self._spec)

    async def add(self, message: SentMessage) -> None:
        """Note a message. Raises DuplicateError."""
        document: dict[str, Any] = msgspec.to_builtins(message)
        await (await self._collection()).insert(document)

    async def get(self, identifier: str) -> SentMessage | None:
        """The message of that id."""
        document = await (await self._collection()).get(identifier)
        return None if document is None else msgspec.convert(document, SentMessage)

    async def cancelled(self, identifier: str) -> None:
        """Note that it was taken back."""
        await (await self._collection()).claim({"id": identifier}, {"cancelled_at": self._clock.now()})

    async def released(self, identifier: str) -> None:
        """Note that it went before its time."""
        await (await self._collection()).claim({"id": identifier}, {"send_at": self._clock.now()})

    async def list_all(
        self, where: Mapping[str, str], *, since: float = 0.0, words: str = "", newest: bool = True, most: int
    ) -> list[SentMessage]:
        """Messages whose fields equal `where`, by time; at most `most` are looked at, with `words` those that match."""
        found = await (await self._collection()).find(
            {**where, "created_at": {"$gte": since}}, order=[("created_at", -1 if newest else 1)], limit=most
        )
        wanted = words.casefold()
        return [msgspec.convert(one, SentMessage) for one in found if wanted in one["search"]]

    async def waiting(self, where: Mapping[str, str], most: int) -> list[SentMessage]:
        """Messages whose fields equal `where` and that wait for their time, the first to go first."""
        found = await (await self._collection()).find(
            {**where, "send_at": {"$gt": self._clock.now()}, "cancelled_at": 0.0}, limit=most
        )
        return sorted((msgspec.convert(one, SentMessage) for one in found), key=lambda one: one.send_at)

    async def count(self, where: Mapping[str, str], since: float) -> int:
        """How many there are since."""
        return await (await self._collection()).count({**where, "created_at": {"$gte": since}})
