"""Idempotency keys: a request that is sent again with the same key is done once and answered the same.

The key is written down before the work, the answer after it. A key without an answer means that the work is under way
or was cut off: the client is told so instead of it being done twice.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from mailstead.foundation.errors import InvalidError, MailsteadError, PermanentError
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.documents.interface import CollectionSpec, DuplicateError, Index

HEADER = "idempotency-key"
_KEEP = 86400.0
_KEY_LIMIT = 200
_SPEC = CollectionSpec("idempotency", (Index(("at",), expire_after=_KEEP),))
Answer = TypeVar("Answer", bound=msgspec.Struct)


class UnderWayError(PermanentError):
    """The first request with this key has no answer yet."""

    http_status = 409
    public_text = (
        "A request with this idempotency key is under way, or was cut off: look at its result before a new key"
    )


async def once(
    services: ApiServices,
    identity: Identity,
    key: str,
    body: bytes,
    kind: type[Answer],
    work: Callable[[], Awaitable[Answer]],
) -> Answer:
    """`work`'s answer, or the one that the same key got within a day. Without a key the work is just done.

    Raises InvalidError when the key comes with another body, UnderWayError.
    """
    if not key:
        return await work()
    if len(key) > _KEY_LIMIT:
        raise InvalidError(f"An idempotency key has at most {_KEY_LIMIT} characters")
    owner = identity.actor.user_id or identity.alias_id
    identifier = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
    digest = hashlib.sha256(body).hexdigest()
    collection = await services.administration.documents.collection(_SPEC)
    try:
        await collection.insert({"id": identifier, "at": services.clock.now(), "body": digest})
    except DuplicateError:
        known = await collection.get(identifier)
        if known is not None and known["body"] != digest:
            raise InvalidError("This idempotency key was used for another request") from None
        if known is None or "answer" not in known:
            raise UnderWayError from None
        return msgspec.json.decode(known["answer"], type=kind)
    try:
        answer = await work()
    except MailsteadError:
        await collection.delete(identifier)
        raise
    await collection.claim({"id": identifier}, {"answer": msgspec.json.encode(answer).decode()})
    return answer
