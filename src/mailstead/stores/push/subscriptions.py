"""Subscriptions of browsers to Web Push (RFC 8030), by mailbox."""

import hashlib
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import LimitExceededError
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

PER_MAILBOX = 20
_SUBSCRIPTIONS = CollectionSpec("push_subscription", (Index(("mailbox_id",)),))
_TOLD = CollectionSpec("push_told")


class TooManySubscriptionsError(LimitExceededError):
    """The mailbox has as many as there may be."""

    public_text = "At most 20 browsers are told of new mail"


class PushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A browser: where its push service takes messages, its public key and authentication secret (RFC 8291 §3)."""

    id: str
    mailbox_id: str
    endpoint: str
    key: bytes
    auth: bytes
    agent: str = ""
    created_at: float = 0.0


def subscription_id(endpoint: str) -> str:
    """The id of the subscription with that endpoint."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


class PushSubscriptions:
    """All of them, and up to which message each mailbox's were told. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(_SUBSCRIPTIONS)

    async def add(self, mailbox_id: str, endpoint: str, key: bytes, auth: bytes, agent: str) -> PushSubscription:
        """Keep one, in place of the one with the same endpoint. Raises TooManySubscriptionsError."""
        kept = await self._collection()
        made = PushSubscription(
            id=subscription_id(endpoint),
            mailbox_id=mailbox_id,
            endpoint=endpoint,
            key=key,
            auth=auth,
            agent=agent,
            created_at=self._clock.now(),
        )
        await kept.delete(made.id)
        if await kept.count({"mailbox_id": mailbox_id}) >= PER_MAILBOX:
            raise TooManySubscriptionsError
        document: dict[str, Any] = msgspec.to_builtins(made, builtin_types=(bytes,))
        await kept.insert(document)
        return made

    async def of(self, mailbox_id: str) -> list[PushSubscription]:
        """Those of a mailbox."""
        found = await (await self._collection()).find({"mailbox_id": mailbox_id})
        return [msgspec.convert(one, PushSubscription) for one in found]

    async def mailboxes(self) -> set[str]:
        """The mailboxes that have any."""
        return set(await (await self._collection()).distinct("mailbox_id", {}))

    async def remove(self, mailbox_id: str, identifier: str) -> bool:
        """Forget one of a mailbox; whether it was there."""
        return await (await self._collection()).delete_many({"id": identifier, "mailbox_id": mailbox_id}) > 0

    async def begin(self, mailbox_id: str, uid: int) -> None:
        """Tell only of what comes after `uid`, unless it is known up to where was told."""
        try:
            await (await self._documents.collection(_TOLD)).insert({"id": mailbox_id, "uid": uid})
        except DuplicateError:
            return

    async def told(self, mailbox_id: str) -> int:
        """Up to which uid of the inbox was told."""
        document = await (await self._documents.collection(_TOLD)).get(mailbox_id)
        return 0 if document is None else int(document["uid"])

    async def tell(self, mailbox_id: str, uid: int) -> bool:
        """Claim what came up to `uid` for the caller to tell of; False when another process told of it."""
        kept = await self._documents.collection(_TOLD)
        return await kept.claim({"id": mailbox_id, "uid": {"$lt": uid}}, {"uid": uid}) is not None
