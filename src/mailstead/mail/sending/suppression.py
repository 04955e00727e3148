"""Addresses that are not written to: they bounced again and again, complained, unsubscribed, or somebody said so.

Per sending domain, or for all of them (domain ""). Bounces end by themselves, the rest stays until it is removed.
"""

from hashlib import blake2b
from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.errors import NotFoundError, PermanentError
from mailstead.stores.directory.names import InvalidAddressError, split_address
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

Reason = Literal["bounce", "complaint", "unsubscribe", "manual"]

SUPPRESSIONS = CollectionSpec(
    "suppression",
    (Index(("domain", "address")), Index(("address",)), Index(("at",)), Index(("ends_at",), expire_after=0.0)),
)
_TEXT_LIMIT = 500
LIST_LIMIT = 1000


class SuppressedError(PermanentError):
    """The recipient is on the suppression list."""

    smtp_code = 550
    enhanced_code = "5.7.1"
    http_status = 422
    public_text = "The recipient is on the suppression list"


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """One address. It counts while `bounces` reached the setting, or `reason` is another; `ends_at` None: for good."""

    id: str
    domain: str
    address: str
    reason: Reason
    text: str
    at: float
    ends_at: float | None = None
    bounces: int = 0


def _compared(address: str) -> str:
    try:
        return "@".join(split_address(address))
    except InvalidAddressError:
        return address.strip().lower()


def _id(domain: str, address: str) -> str:
    return blake2b(f"{domain}\0{address}".encode(), digest_size=20).hexdigest()


class SuppressionList:
    """The list; methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents, settings: SendingSettings, clock: Clock) -> None:
        self._documents = documents
        self._settings = settings
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(SUPPRESSIONS)

    def _counts(self, one: Suppression) -> bool:
        if one.ends_at is not None and one.ends_at <= self._clock.now():
            return False
        return one.reason != "bounce" or 0 < self._settings.bounces <= one.bounces

    async def check(self, domain: str, address: str) -> None:
        """Raises SuppressedError when `domain` does not write to `address`."""
        compared = _compared(address)
        collection = await self._collection()
        for whose in dict.fromkeys((domain, "")):
            document = await collection.get(_id(whose, compared))
            if document is None:
                continue
            found = _from_document(document)
            if self._counts(found):
                raise SuppressedError(f"{compared} is on the suppression list ({found.reason}): {found.text}")

    async def add(self, domain: str, address: str, reason: Reason, text: str) -> Suppression:
        """Put an address on the list; a bounce never takes the place of another reason."""
        now = self._clock.now()
        compared = _compared(address)
        ends = now + self._settings.suppression if reason == "bounce" else None
        fresh = Suppression(
            id=_id(domain, compared),
            domain=domain,
            address=compared,
            reason=reason,
            text=text[:_TEXT_LIMIT],
            at=now,
            ends_at=ends,
            bounces=1 if reason == "bounce" else 0,
        )
        collection = await self._collection()
        while True:
            document = await collection.get(fresh.id)
            if document is None:
                try:
                    await collection.insert(_document(fresh))
                except DuplicateError:
                    continue
                return fresh
            held = _from_document(document)
            if reason == "bounce" and held.reason != "bounce":
                return held
            has_ended = held.ends_at is not None and held.ends_at <= now
            bounces = 1 if has_ended else held.bounces + 1
            changed = msgspec.structs.replace(fresh, bounces=bounces if reason == "bounce" else held.bounces)
            fields = _document(changed)
            del fields["id"]
            if await collection.claim({"id": fresh.id, "bounces": held.bounces, "at": held.at}, fields) is not None:
                return changed

    async def delivered(self, domain: str, address: str) -> None:
        """Mail arrived: bounces are in a row no more."""
        collection = await self._collection()
        identifier = _id(domain, _compared(address))
        if await collection.get(identifier) is not None:  # almost never: a look costs less than a write
            await collection.delete_many({"id": identifier, "reason": "bounce"})

    async def remove(self, domain: str, address: str) -> None:
        """Take an address off the list. Raises NotFoundError."""
        if not await (await self._collection()).delete(_id(domain, _compared(address))):
            raise NotFoundError(f"{address} is not on the list of {domain or 'all domains'}")

    async def list_all(
        self, *, domain: str | None = None, limit: int = LIST_LIMIT, only_counting: bool = True
    ) -> list[Suppression]:
        """The newest first; those whose bounces are too few yet are left out unless asked for."""
        where: dict[str, Any] = {"at": {"$gt": 0}} if domain is None else {"domain": domain}
        found = await (await self._collection()).find(where, order=[("at", -1)], limit=limit)
        listed = [_from_document(document) for document in found]
        return [one for one in listed if not only_counting or self._counts(one)]


def _document(one: Suppression) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(one)
    return document


def _from_document(document: dict[str, Any]) -> Suppression:
    return msgspec.convert(document, Suppression)
