"""What a user's login asks for beside the password: a secret of one-time codes, and recovery codes.

The secret is encrypted under the server's; a recovery code is kept as a hash and works once; of one-time codes only
those of a later step than the last one are taken, so that a code that was looked on with works once, too.
"""

import hashlib
from typing import Any

import msgspec

from mailstead.foundation.crypto.at_rest import decrypt, encrypt
from mailstead.stores.documents.interface import CollectionSpec, ConflictError, Documents

FACTORS = CollectionSpec("factor")


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """A user's second factor; `id` is the user's. It counts once it `is_on`: before, it was never proved."""

    id: str
    secret: bytes
    is_on: bool = False
    step: int = 0
    recovery: tuple[bytes, ...] = ()
    created_at: float = 0.0
    version: int = 0


def recovery_hash(code: str) -> bytes:
    """What is stored of a recovery code; the code is random enough for a plain hash to tell nothing."""
    return hashlib.sha256(b"second factor\0" + code.strip().lower().encode()).digest()


class Factors:
    """The second factors of all users; `key` encrypts their secrets."""

    def __init__(self, documents: Documents, key: bytes) -> None:
        self._documents = documents
        self._key = key

    async def of_user(self, user_id: str) -> Factor | None:
        """The user's factor, on or not proved yet."""
        document = await (await self._documents.collection(FACTORS)).get(user_id)
        return None if document is None else msgspec.convert(document, Factor)

    async def begin(self, user_id: str, secret: str, now: float) -> None:
        """Keep a new secret that is still to be proved; one that is on stays as it is."""
        collection = await self._documents.collection(FACTORS)
        await collection.delete_many({"id": user_id, "is_on": False})
        factor = Factor(id=user_id, secret=encrypt(self._key, secret.encode(), user_id.encode()), created_at=now)
        document: dict[str, Any] = msgspec.to_builtins(factor, builtin_types=(bytes,))
        del document["version"]
        await collection.insert(document)

    def secret(self, factor: Factor) -> str:
        """The secret in base32."""
        return decrypt(self._key, factor.secret, factor.id.encode()).decode()

    async def use_step(self, user_id: str, step: int) -> bool:
        """Take a code's step; False when that one or a later was taken before."""
        collection = await self._documents.collection(FACTORS)
        return await collection.claim({"id": user_id, "step": {"$lt": step}}, {"step": step}) is not None

    async def switch_on(self, user_id: str, recovery: tuple[bytes, ...]) -> None:
        """The factor was proved; `recovery` are the hashes of its recovery codes. Raises NotFoundError."""
        await (await self._documents.collection(FACTORS)).update(user_id, {"is_on": True, "recovery": list(recovery)})

    async def use_recovery(self, factor: Factor, code: str) -> bool:
        """Take a recovery code; False when it is none, or was used before."""
        wanted = recovery_hash(code)
        if wanted not in factor.recovery:
            return False
        left = [one for one in factor.recovery if one != wanted]
        try:
            await (await self._documents.collection(FACTORS)).update(
                factor.id, {"recovery": left}, version=factor.version
            )
        except ConflictError:  # another login was first: this one is asked again
            return False
        return True

    async def remove(self, user_id: str) -> bool:
        """Forget the factor; False when there is none."""
        return await (await self._documents.collection(FACTORS)).delete(user_id)
