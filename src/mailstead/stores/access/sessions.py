"""Web sessions: a cookie's text names the session and unwraps the mailbox's key, which no document holds in the clear.

The document is found by a hash of the text; the data key is wrapped under another derivation of it. So a stolen
database opens no mailbox, a session survives a restart, and removing the document ends it everywhere at once.
"""

import hashlib
import secrets
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.crypto.at_rest import decrypt, encrypt
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.stores.documents.interface import CollectionSpec, Documents, Index

_OCTETS = 32
_NOTE_USE = 60.0

SESSIONS = CollectionSpec("session", (Index(("user_id",)), Index(("expires_at",), expire_after=0)))


class WebSession(msgspec.Struct, frozen=True, kw_only=True):
    """A login in a browser. `id` is a hash of the cookie's text; `key` the mailbox's key, wrapped; `csrf` goes into
    forms."""

    id: str
    user_id: str
    alias_id: str
    mailbox_id: str
    address: str
    credential_id: str
    key: bytes
    csrf: str
    created_at: float
    expires_at: float
    seen_at: float
    peer: str = ""
    agent: str = ""
    confirmed_at: float | None = None
    version: int = 0


def _identifier(text: str) -> str:
    return hashlib.sha256(b"session\0" + text.encode()).hexdigest()


def _wrapping_key(text: str) -> bytes:
    return derive_key(text.encode(), "web session")


class Sessions:
    """The web sessions of all users."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def begin(
        self,
        *,
        user_id: str,
        alias_id: str,
        mailbox_id: str,
        address: str,
        credential_id: str,
        key: DataKey,
        lifetime: float,
        peer: str,
        agent: str,
        confirmed: bool,
    ) -> tuple[WebSession, str]:
        """A new session and its cookie's text; `confirmed` once every factor of the login was given."""
        text = secrets.token_urlsafe(_OCTETS)
        now = self._clock.now()
        identifier = _identifier(text)
        session = WebSession(
            id=identifier,
            user_id=user_id,
            alias_id=alias_id,
            mailbox_id=mailbox_id,
            address=address,
            credential_id=credential_id,
            key=encrypt(_wrapping_key(text), key.raw(), identifier.encode()),
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            expires_at=now + lifetime,
            seen_at=now,
            peer=peer,
            agent=agent[:200],
            confirmed_at=now if confirmed else None,
            version=1,
        )
        document: dict[str, Any] = msgspec.to_builtins(session, builtin_types=(bytes,))
        del document["version"]
        await (await self._documents.collection(SESSIONS)).insert(document)
        return session, text

    async def find(self, text: str) -> tuple[WebSession, DataKey] | None:
        """The live session of a cookie with its mailbox's key (the caller closes it); None for any other text."""
        collection = await self._documents.collection(SESSIONS)
        document = await collection.get(_identifier(text))
        now = self._clock.now()
        if document is None:
            return None
        session = msgspec.convert(document, WebSession)
        if session.expires_at <= now:
            return None
        if now - session.seen_at >= _NOTE_USE:
            await collection.claim({"id": session.id}, {"seen_at": now})
        return session, DataKey(decrypt(_wrapping_key(text), session.key, session.id.encode()))

    async def of_user(self, user_id: str) -> list[WebSession]:
        """A user's live sessions, without those that wait for a second factor."""
        collection = await self._documents.collection(SESSIONS)
        found = [msgspec.convert(one, WebSession) for one in await collection.find({"user_id": user_id})]
        now = self._clock.now()
        return [session for session in found if session.expires_at > now and session.confirmed_at is not None]

    async def end(self, user_id: str, identifier: str) -> bool:
        """End one session of a user; False when there is none."""
        collection = await self._documents.collection(SESSIONS)
        return bool(await collection.delete_many({"id": identifier, "user_id": user_id}))

    async def end_all(self, user_id: str, *, except_id: str = "") -> int:
        """End all of a user's sessions but one; returns how many."""
        collection = await self._documents.collection(SESSIONS)
        return await collection.delete_many({"user_id": user_id, "id": {"$ne": except_id}})
