"""Domains: added with their DKIM keys, described by the DNS records they need."""

import asyncio
from datetime import UTC, datetime

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin, require_domain
from mailstead.administration.aliases import UnknownNameError, find_domain
from mailstead.foundation.crypto.at_rest import encrypt
from mailstead.foundation.crypto.dkim_keys import NewKey, new_ed25519_key, new_rsa_key
from mailstead.foundation.errors import AlreadyExistsError, PermanentError
from mailstead.stores.directory.access import AccessEntry
from mailstead.stores.directory.names import domain_name
from mailstead.stores.directory.records import Alias, DkimKey, Domain, User
from mailstead.stores.documents.interface import DuplicateError

_KEEP_RETIRED = 7 * 86400


async def _new_keys(administration: Administration, taken: set[str]) -> tuple[DkimKey, ...]:
    """One key of each algorithm under selectors that are not `taken`."""
    loop = asyncio.get_running_loop()
    made: list[NewKey] = [
        await loop.run_in_executor(None, new_rsa_key, administration.settings.dkim.rsa_bits),
        new_ed25519_key(),
    ]
    now = administration.clock.now()
    day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
    keys = []
    for letter, key in zip("re", made, strict=True):
        selector, number = f"m{day}{letter}", 1
        while selector in taken:
            number += 1
            selector = f"m{day}{letter}{number}"
        stored = encrypt(administration.directory.dkim_secret, key.private_key, selector.encode())
        keys.append(
            DkimKey(
                selector=selector,
                algorithm=key.algorithm,
                private_key=stored,
                public_record=key.public_record,
                created_at=now,
            )
        )
    return tuple(keys)


async def add_domain(administration: Administration, actor: Actor, name: str, *, owner_id: str = "") -> Domain:
    """Serve a domain from now on. Raises AlreadyExistsError, InvalidAddressError, PermissionDeniedError."""
    require_admin(actor)
    name = domain_name(name)
    if await administration.directory.get(Domain, name) is not None:
        raise AlreadyExistsError(f"{name} is served already")
    if not owner_id:
        admins = [user for user in await administration.directory.find(User) if user.is_admin]
        owner_id = admins[0].id if admins else ""
    domain = Domain(
        id=name,
        owner_id=owner_id,
        dkim_keys=await _new_keys(administration, set()),
        created_at=administration.clock.now(),
        version=1,
    )
    try:
        await administration.directory.add(domain)
    except DuplicateError:
        raise AlreadyExistsError(f"{name} is served already") from None
    await administration.audit(actor, "domain.add", name)
    return domain


async def list_domains(administration: Administration, actor: Actor) -> list[Domain]:
    """Domains that `actor` may see, by name."""
    found = await administration.directory.find(Domain)
    return [domain for domain in found if actor.is_admin or domain.group_of(actor.user_id) is not None]


async def set_owner(administration: Administration, actor: Actor, name: str, owner: str) -> Domain:
    """Give a domain to another user."""
    require_admin(actor)
    domain = await find_domain(administration, name)
    users = await administration.directory.find(User, address=owner)
    if not users:
        raise UnknownNameError("user", owner)
    stored = await administration.directory.replace(msgspec.structs.replace(domain, owner_id=users[0].id))
    await administration.audit(actor, "domain.set", domain.id, owner=owner)
    return stored


async def remove_domain(administration: Administration, actor: Actor, name: str, *, with_aliases: bool) -> None:
    """Serve a domain no more. Refused while it has aliases, unless `with_aliases`."""
    require_admin(actor)
    domain = await find_domain(administration, name)
    aliases = await administration.directory.find(Alias, domain=domain.id)
    if aliases and not with_aliases:
        raise PermanentError(f"{name} has {len(aliases)} aliases: remove them first, or use --with-aliases")
    for alias in aliases:
        await administration.directory.remove(alias)
    for entry in await administration.directory.find(AccessEntry, scope=domain.id):
        await administration.directory.remove(entry)
    await administration.directory.remove(domain)
    await administration.audit(actor, "domain.remove", domain.id, aliases=len(aliases))


async def mark_verified(administration: Administration, actor: Actor, name: str) -> Domain:
    """Note that DNS proved the domain to be ours."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    stored = await administration.directory.replace(
        msgspec.structs.replace(domain, verified_at=administration.clock.now())
    )
    await administration.audit(actor, "domain.verify", domain.id)
    return stored


async def rotate_dkim(administration: Administration, actor: Actor, name: str) -> Domain:
    """Make new keys, which wait until they are taken into use; the old ones go on signing.

    Keys that waited before are replaced, retired ones dropped a week after they signed last.
    """
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    now = administration.clock.now()
    kept = [
        key
        for key in domain.dkim_keys
        if not key.is_waiting and (key.retired_at is None or now - key.retired_at < _KEEP_RETIRED)
    ]
    made = await _new_keys(administration, {key.selector for key in domain.dkim_keys})
    fresh = [msgspec.structs.replace(key, is_waiting=True) for key in made]
    stored = await administration.directory.replace(msgspec.structs.replace(domain, dkim_keys=(*fresh, *kept)))
    await administration.audit(actor, "dkim.rotate", domain.id, selectors=[key.selector for key in fresh])
    return stored


async def activate_dkim_keys(administration: Administration, actor: Actor, name: str) -> Domain:
    """Sign with the keys that wait from now on; those that signed are retired and stay published for a week."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    now = administration.clock.now()
    fresh = [msgspec.structs.replace(key, is_waiting=False) for key in domain.dkim_keys if key.is_waiting]
    if not fresh:
        return domain
    rest = [
        key if key.retired_at is not None else msgspec.structs.replace(key, retired_at=now)
        for key in domain.dkim_keys
        if not key.is_waiting
    ]
    stored = await administration.directory.replace(msgspec.structs.replace(domain, dkim_keys=(*fresh, *rest)))
    await administration.audit(actor, "dkim.activate", domain.id, selectors=[key.selector for key in fresh])
    return stored
