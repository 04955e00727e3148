"""API tokens: for programs that act for a user."""

import hashlib
import secrets
from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

Scope = Literal["read", "write", "send", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "send", "admin")
PREFIX = "mst_"
_OCTETS = 30
_NOTE_USE = 60.0  # the time of last use is written at most once a minute

TOKENS = CollectionSpec("token", (Index(("hash",), unique=True), Index(("user_id",))))


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its text; times are seconds since the epoch, `expires_at` None for one without an end."""

    id: str
    user_id: str
    hash: bytes
    label: str = ""
    scopes: tuple[Scope, ...] = ()
    created_at: float = 0.0
    expires_at: float | None = None
    last_used_at: float | None = None
    last_peer: str = ""
    version: int = 0


def token_hash(text: str) -> bytes:
    """What is stored of a token; the text has 240 random bits, so that a plain hash tells nothing."""
    return hashlib.sha256(text.encode()).digest()


class Tokens:
    """The tokens of all users."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(TOKENS)

    async def add(
        self, user_id: str, label: str, scopes: tuple[Scope, ...], expires_at: float | None
    ) -> tuple[ApiToken, str]:
        """A new token and its text, which is shown this once."""
        text = PREFIX + secrets.token_urlsafe(_OCTETS)
        now = self._clock.now()
        token = ApiToken(
            id=new_ulid(now),
            user_id=user_id,
            hash=token_hash(text),
            label=label,
            scopes=scopes,
            created_at=now,
            expires_at=expires_at,
            version=1,
        )
        document: dict[str, Any] = msgspec.to_builtins(token, builtin_types=(bytes,))
        del document["version"]
        await (await self._collection()).insert(document)
        return token, text

    async def of_user(self, user_id: str) -> list[ApiToken]:
        """A user's tokens, oldest first."""
        found = await (await self._collection()).find({"user_id": user_id})
        return [msgspec.convert(document, ApiToken) for document in found]

    async def remove(self, user_id: str, identifier: str) -> bool:
        """Revoke a token of that user; False when there is none."""
        return bool(await (await self._collection()).delete_many({"id": identifier, "user_id": user_id}))

    async def verify(self, text: str, peer: str) -> ApiToken | None:
        """The token of that text while it is valid; its use is noted. None for any other text."""
        if not text.startswith(PREFIX):
            return None
        collection = await self._collection()
        document = await collection.find_one({"hash": token_hash(text)})
        if document is None:
            return None
        token = msgspec.convert(document, ApiToken)
        now = self._clock.now()
        if token.expires_at is not None and token.expires_at <= now:
            return None
        if token.last_used_at is None or now - token.last_used_at >= _NOTE_USE or token.last_peer != peer:
            await collection.claim({"id": token.id}, {"last_used_at": now, "last_peer": peer})
        return token
