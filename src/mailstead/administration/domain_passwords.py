"""Passwords of whole domains: they send as any address of it and open no mailbox."""

import hashlib

import msgspec

from mailstead.administration.actor import Actor, Administration, require_domain
from mailstead.administration.aliases import find_domain
from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.records import DomainPassword

PASSWORDS_LIMIT = 50


async def list_domain_passwords(administration: Administration, actor: Actor, name: str) -> tuple[DomainPassword, ...]:
    """Oldest first. Raises NotFoundError, PermissionDeniedError."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    return domain.passwords


async def add_domain_password(
    administration: Administration, actor: Actor, name: str, description: str
) -> tuple[DomainPassword, str]:
    """Make one; returns it and its text, shown this once. It is always generated, so that a plain hash keeps it."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    if len(domain.passwords) >= PASSWORDS_LIMIT:
        raise InvalidError(f"At most {PASSWORDS_LIMIT} passwords of a domain")
    now = administration.clock.now()
    text = new_app_password()
    made = DomainPassword(
        id=new_ulid(now), hash=hashlib.sha256(text.encode()).digest(), description=description, created_at=now
    )
    await administration.directory.replace(msgspec.structs.replace(domain, passwords=(*domain.passwords, made)))
    await administration.audit(actor, "domain-password.add", domain.id, id=made.id, description=description)
    return made, text


async def remove_domain_password(administration: Administration, actor: Actor, name: str, identifier: str) -> None:
    """Revoke one; sessions that it opened end with their next command. Raises NotFoundError."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    kept = tuple(one for one in domain.passwords if one.id != identifier)
    if len(kept) == len(domain.passwords):
        raise NotFoundError(f"{domain.id} has no such password")
    await administration.directory.replace(msgspec.structs.replace(domain, passwords=kept))
    await administration.audit(actor, "domain-password.remove", domain.id, id=identifier)
