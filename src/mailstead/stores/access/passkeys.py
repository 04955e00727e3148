"""Passkeys: public keys that users' devices prove themselves with, and the challenges that they sign."""

from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.stores.documents.interface import CollectionSpec, Documents, Index

PASSKEYS = CollectionSpec("passkey", (Index(("user_id",)),))
CHALLENGES = CollectionSpec("challenge", (Index(("expires_at",), expire_after=0),))
CHALLENGE_SECONDS = 300.0


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A device's public key; `id` is the credential's id in base64url. `slot_id` names the slot of the mailbox that
    the device's own secret opens, empty when the device has none."""

    id: str
    user_id: str
    label: str
    public_key: bytes
    count: int
    rp_id: str
    slot_id: str = ""
    created_at: float = 0.0
    used_at: float | None = None
    version: int = 0


class Passkeys:
    """The passkeys of all users."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def keep_challenge(self, challenge: bytes, user_id: str) -> None:
        """Remember a challenge; `user_id` is whose it is, empty for a login."""
        expires_at = self._clock.now() + CHALLENGE_SECONDS
        collection = await self._documents.collection(CHALLENGES)
        await collection.insert({"id": challenge.hex(), "user_id": user_id, "expires_at": expires_at})

    async def take_challenge(self, challenge: bytes, user_id: str) -> bool:
        """Whether that challenge was given, and is answered for the first time and in time."""
        collection = await self._documents.collection(CHALLENGES)
        document = await collection.get(challenge.hex())
        if document is None or document["user_id"] != user_id:
            return False
        return await collection.delete(challenge.hex()) and document["expires_at"] > self._clock.now()

    async def add(self, passkey: Passkey) -> None:
        """Keep a new passkey. Raises DuplicateError."""
        document: dict[str, Any] = msgspec.to_builtins(passkey, builtin_types=(bytes,))
        del document["version"]
        await (await self._documents.collection(PASSKEYS)).insert(document)

    async def get(self, identifier: str) -> Passkey | None:
        """The passkey of that id."""
        document = await (await self._documents.collection(PASSKEYS)).get(identifier)
        return None if document is None else msgspec.convert(document, Passkey)

    async def of_user(self, user_id: str) -> list[Passkey]:
        """A user's passkeys, oldest first."""
        found = await (await self._documents.collection(PASSKEYS)).find({"user_id": user_id})
        return sorted((msgspec.convert(one, Passkey) for one in found), key=lambda one: one.created_at)

    async def note_use(self, passkey: Passkey, count: int) -> None:
        """Keep the device's counter and the time."""
        await (await self._documents.collection(PASSKEYS)).claim(
            {"id": passkey.id}, {"count": count, "used_at": self._clock.now()}
        )

    async def remove(self, user_id: str, identifier: str) -> bool:
        """Forget a passkey of that user; False when there is none."""
        return bool(
            await (await self._documents.collection(PASSKEYS)).delete_many({"id": identifier, "user_id": user_id})
        )
