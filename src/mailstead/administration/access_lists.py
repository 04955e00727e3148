"""Lists of who may and who may not send here: the server's, and each domain's; every change recorded."""

from mailstead.administration.actor import Actor, Administration, require_admin, require_domain
from mailstead.administration.aliases import find_domain
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.access import AccessEntry, AccessVerdict, access_value

ENTRIES_LIMIT = 10_000
NOTE_LIMIT = 500


async def _scope(administration: Administration, actor: Actor, scope: str) -> str:
    """The domain in its compared form, "" for the server. Raises UnknownNameError, PermissionDeniedError."""
    if not scope:
        require_admin(actor)
        return ""
    domain = await find_domain(administration, scope)
    require_domain(actor, domain)
    return domain.id


async def list_access(administration: Administration, actor: Actor, scope: str = "") -> list[AccessEntry]:
    """The entries of a domain, or for "" of the server. Raises UnknownNameError, PermissionDeniedError."""
    found = await administration.directory.find(AccessEntry, scope=await _scope(administration, actor, scope))
    return sorted(found, key=lambda entry: (entry.verdict, entry.kind, entry.value))


async def set_access(
    administration: Administration, actor: Actor, verdict: AccessVerdict, value: str, *, scope: str = "", note: str = ""
) -> AccessEntry:
    """Allow or deny an address, a domain with those below it, or a network; in place of an entry of that value.

    Raises InvalidError, UnknownNameError, PermissionDeniedError.
    """
    place = await _scope(administration, actor, scope)
    kind, compared = access_value(value)
    if len(note) > NOTE_LIMIT:
        raise InvalidError(f"A note has at most {NOTE_LIMIT} characters")
    directory = administration.directory
    known = await directory.find(AccessEntry, scope=place, value=compared)
    if not known and await directory.count(AccessEntry) >= ENTRIES_LIMIT:
        raise InvalidError(f"At most {ENTRIES_LIMIT} entries")
    entry = AccessEntry(
        id=known[0].id if known else new_ulid(administration.clock.now()),
        scope=place,
        verdict=verdict,
        kind=kind,
        value=compared,
        note=note,
        created_at=administration.clock.now(),
        created_by=actor.name,
        version=known[0].version if known else 0,
    )
    if known:
        entry = await directory.replace(entry)
    else:
        await directory.add(entry)
    await administration.audit(actor, f"access.{verdict}", place or "server", value=compared, note=note)
    return entry


async def remove_access(administration: Administration, actor: Actor, value: str, *, scope: str = "") -> AccessEntry:
    """Remove the entry of that value. Raises InvalidError, NotFoundError, UnknownNameError, PermissionDeniedError."""
    place = await _scope(administration, actor, scope)
    _, compared = access_value(value)
    known = await administration.directory.find(AccessEntry, scope=place, value=compared)
    if not known:
        raise NotFoundError(f"There is no entry {compared} in the list of {place or 'the server'}")
    await administration.directory.remove(known[0])
    await administration.audit(actor, "access.remove", place or "server", value=compared)
    return known[0]
