"""MTA-STS policies kept in the documents, for every process and the next start."""

from contextlib import suppress

import msgspec

from mailstead.foundation.errors import NotFoundError
from mailstead.mail.authentication.mtasts.discover import HeldPolicy, MemoryPolicies
from mailstead.mail.authentication.mtasts.policy import MAX_AGE_MOST
from mailstead.stores.documents.interface import CollectionSpec, Documents, DuplicateError, Index

POLICIES = CollectionSpec("sts_policies", (Index(("fetched_at",), expire_after=float(MAX_AGE_MOST)),))


class KeptPolicies:
    """A PolicyStore: this process's memory before the documents. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._near = MemoryPolicies()

    async def get(self, domain: str) -> HeldPolicy | None:
        """See PolicyStore."""
        near = await self._near.get(domain)
        if near is not None:
            return near
        document = await (await self._documents.collection(POLICIES)).get(domain)
        if document is None:
            return None
        held = msgspec.json.decode(document["held"], type=HeldPolicy)
        await self._near.put(domain, held)
        return held

    async def put(self, domain: str, held: HeldPolicy) -> None:
        """See PolicyStore."""
        await self._near.put(domain, held)
        fields = {"held": msgspec.json.encode(held), "fetched_at": held.fetched_at}
        collection = await self._documents.collection(POLICIES)
        try:
            await collection.update(domain, fields)
        except NotFoundError:
            with suppress(DuplicateError):  # another process was faster, with the same
                await collection.insert({"id": domain, **fields})
