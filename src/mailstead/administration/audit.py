"""Reading the record of what was done."""

from typing import Any

import msgspec

from mailstead.administration.actor import AUDIT, Actor, Administration, require_admin


class AuditEntry(msgspec.Struct, frozen=True):
    """One action; `at` in seconds since the epoch."""

    id: str
    at: float
    actor: str
    action: str
    target: str
    detail: dict[str, Any] = {}


async def audit_of(administration: Administration, target: str, limit: int = 50) -> list[AuditEntry]:
    """What was done to `target`, the newest first. The caller has checked that it is the reader's own."""
    collection = await administration.documents.collection(AUDIT)
    found = await collection.find({"target": target}, order=[("at", -1)], limit=limit)
    return [msgspec.convert(document, AuditEntry) for document in found]


async def read_audit(
    administration: Administration, actor: Actor, *, target: str = "", before: AuditEntry | None = None, limit: int = 50
) -> list[AuditEntry]:
    """What was done, the newest first, past `before`; to one target when it is named. Admins of the server only."""
    require_admin(actor)
    collection = await administration.documents.collection(AUDIT)
    after = None if before is None else {"id": before.id, "at": before.at}
    found = await collection.find({"target": target} if target else {}, order=[("at", -1)], limit=limit, after=after)
    return [msgspec.convert(document, AuditEntry) for document in found]
