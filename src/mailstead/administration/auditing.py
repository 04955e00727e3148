"""Reading the audit log: who did what to what, for those whom it concerns."""

from typing import Any

import msgspec

from mailstead.administration.actor import AUDIT, Actor, Administration, require_admin, require_domain
from mailstead.administration.aliases import find_domain


class AuditEntry(msgspec.Struct, frozen=True):
    """One action; `at` in seconds since the epoch, `target` a domain, an address, or another thing's id."""

    id: str
    at: float
    actor: str
    action: str
    target: str
    actor_id: str = ""
    detail: dict[str, Any] = {}


async def list_audit(
    administration: Administration,
    actor: Actor,
    *,
    limit: int,
    domain: str = "",
    target: str = "",
    since: float = 0.0,
    after: str = "",
) -> list[AuditEntry]:
    """The latest `limit` entries since, newest first; those before the entry `after` when that is given.

    A domain's entries are for those who administer it, everything is for server admins; others see what they did
    themselves. Raises NotFoundError, PermissionDeniedError.
    """
    where: dict[str, Any] = {"at": {"$gte": since}}
    if target:
        require_admin(actor)
        where["target"] = target
    elif domain:
        found = await find_domain(administration, domain)
        require_domain(actor, found)
        where["domain"] = found.id
    elif not actor.is_admin:
        where["actor_id"] = actor.user_id
    collection = await administration.documents.collection(AUDIT)
    last = await collection.get(after) if after else None
    documents = await collection.find(where, order=[("at", -1)], limit=limit, after=last)
    return [msgspec.convert(document, AuditEntry) for document in documents]


async def audit_of(administration: Administration, target: str, limit: int = 50) -> list[AuditEntry]:
    """What was done to `target` by anybody, newest first. The caller has checked that it is the reader's own."""
    collection = await administration.documents.collection(AUDIT)
    found = await collection.find({"target": target}, order=[("at", -1)], limit=limit)
    return [msgspec.convert(document, AuditEntry) for document in found]


async def expire_audit(administration: Administration) -> int:
    """Remove entries that are older than Settings keep them; how many."""
    kept = administration.settings.audit.retention
    if not kept:
        return 0
    collection = await administration.documents.collection(AUDIT)
    return await collection.delete_many({"at": {"$lt": administration.clock.now() - kept}})
