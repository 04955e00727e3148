"""Greylisting that learns: a stranger is asked to come back once; who does is known from then on.

An entry is about a network, a sender domain and a recipient. A network that came back with a sender domain
`network_passes` times need not come back for any recipient any more. Entries are documents: they survive restarts, are
shared by all processes, and end by themselves.
"""

import hashlib

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.greylist import GreylistSettings
from mailstead.mail.screening.limits import network_of
from mailstead.mail.screening.refusal import Refusal
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

_SPEC = CollectionSpec("greylist", (Index(("ends_at",), expire_after=0.0),))


class Greylist:
    """Entries in documents."""

    def __init__(self, documents: Documents, settings: GreylistSettings, clock: Clock) -> None:
        self._documents = documents
        self._settings = settings
        self._clock = clock

    async def refusal(self, address: str, sender_domain: str, recipient: str) -> Refusal | None:
        """Why the sender has to come back later, None when it did or is known. Durable when this returns."""
        collection = await self._documents.collection(_SPEC)
        settings, now = self._settings, self._clock.now()
        network = network_of(address)
        if await self._is_known(collection, network, sender_domain, now):
            return None
        identifier = _id(network, sender_domain, recipient.lower())
        fresh = {"first_at": now, "passed": False, "ends_at": now + settings.retry_within}
        try:
            await collection.insert({"id": identifier, **fresh})
            return self._later(settings.delay)
        except DuplicateError:
            pass
        document = await collection.get(identifier)
        if document is None or document["ends_at"] <= now:
            await collection.claim({"id": identifier}, fresh)
            return self._later(settings.delay)
        left = document["first_at"] + settings.delay - now
        if not document["passed"] and left > 0:
            return self._later(left)
        kept = {"passed": True, "ends_at": now + settings.remember}
        await collection.claim({"id": identifier}, kept)
        if not document["passed"]:
            await self._passed(collection, network, sender_domain, now)
        return None

    async def is_known(self, address: str, sender_domain: str) -> bool:
        """Whether the client's network came back with this sender domain often enough."""
        collection = await self._documents.collection(_SPEC)
        return await self._is_known(collection, network_of(address), sender_domain, self._clock.now())

    async def _is_known(self, collection: Collection, network: str, sender_domain: str, now: float) -> bool:
        document = await collection.get(_id(network, sender_domain))
        if document is None or document["ends_at"] <= now:
            return False
        if document["passes"] < self._settings.network_passes:
            return False
        if document["ends_at"] - now < self._settings.remember / 2:  # written seldom, not with each message
            await collection.claim({"id": document["id"]}, {"ends_at": now + self._settings.remember})
        return True

    async def _passed(self, collection: Collection, network: str, sender_domain: str, now: float) -> None:
        identifier = _id(network, sender_domain)
        ends = now + self._settings.remember
        try:
            await collection.insert({"id": identifier, "passes": 1, "ends_at": ends})
        except DuplicateError:
            document = await collection.get(identifier)
            passes = document["passes"] if document is not None and document["ends_at"] > now else 0
            await collection.claim({"id": identifier}, {"passes": passes + 1, "ends_at": ends})

    @staticmethod
    def _later(seconds: float) -> Refusal:
        wait = max(1, round(seconds))
        return Refusal(
            450,
            "4.7.1",
            f"Not known here yet, come back in {wait} seconds (greylisting)",
            words=f"not known here yet: asked to come back in {wait} seconds (greylisting)",
        )


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
