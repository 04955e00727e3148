"""Members of domains: invited by mail, with the rights of an admin or those of a user."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from mailstead.administration.actor import Actor, Administration, require_domain, require_member
from mailstead.administration.aliases import find_domain
from mailstead.administration.users import add_user, normal_address
from mailstead.foundation.errors import AlreadyExistsError, InvalidError, NotFoundError, PermissionDeniedError
from mailstead.mail.outbound.letters import Letters
from mailstead.stores.directory.records import Domain, Group, Invite, Member, User
from mailstead.stores.documents.interface import ConflictError

MEMBERS_LIMIT = 1000
INVITES_LIMIT = 100
INVITE_LIFETIME = 14 * 86400.0
_ATTEMPTS = 10
_LETTER = """{inviter} invites you to {domain} on the mail server {hostname}, as {role}.

If you have an account there, accept with it; else make one. Both take this code, which is good for {days} days:

  {token}

If you do not know of this, do nothing: without the code nothing happens.
"""
_ROLES: dict[Group, str] = {"admin": "an administrator", "user": "a member with addresses of your own"}


class NoSuchInviteError(NotFoundError):
    """There is no such invite, or it has ended: one answer for both, so that codes cannot be told apart."""

    public_text = "There is no such invite, or it has ended"


async def _change(administration: Administration, name: str, change: Callable[[Domain], Domain]) -> Domain:
    """Change a domain in one step, again when somebody else was faster."""
    for _ in range(_ATTEMPTS):
        try:
            return await administration.directory.replace(change(await find_domain(administration, name)))
        except ConflictError:
            continue
    raise ConflictError


async def invite(
    administration: Administration, actor: Actor, letters: Letters, name: str, address: str, group: Group
) -> Domain:
    """Invite an address to a domain; the code goes there by mail, an earlier one ends.

    Raises AlreadyExistsError for a member, InvalidAddressError, PermissionDeniedError.
    """
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    address = normal_address(address)
    known = await administration.directory.find(User, address=address)
    if known and domain.group_of(known[0].id) is not None:
        raise AlreadyExistsError(f"{address} is a member already")
    token = secrets.token_urlsafe(24)
    now = administration.clock.now()
    offer = Invite(
        address=address, group=group, token_hash=_hash(token), created_at=now, expires_at=now + INVITE_LIFETIME
    )

    def change(found: Domain) -> Domain:
        others = [one for one in found.invites if one.address != address and one.expires_at > now]
        if len(others) >= INVITES_LIMIT:
            raise InvalidError(f"At most {INVITES_LIMIT} invites wait at once")
        return msgspec.structs.replace(found, invites=(*others, offer))

    stored = await _change(administration, domain.id, change)
    text = _LETTER.format(
        inviter=actor.name,
        domain=domain.id,
        hostname=letters.hostname,
        role=_ROLES[group],
        days=int(INVITE_LIFETIME // 86400),
        token=token,
    )
    await letters.write([address], f"an invite to {domain.id}", text)
    await administration.audit(actor, "invite.add", domain.id, address=address, group=group)
    return stored


async def withdraw_invite(administration: Administration, actor: Actor, name: str, address: str) -> Domain:
    """Take an invite back. Raises NoSuchInviteError, PermissionDeniedError."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    address = normal_address(address)
    if all(one.address != address for one in domain.invites):
        raise NoSuchInviteError

    def change(found: Domain) -> Domain:
        return msgspec.structs.replace(found, invites=tuple(one for one in found.invites if one.address != address))

    stored = await _change(administration, domain.id, change)
    await administration.audit(actor, "invite.remove", domain.id, address=address)
    return stored


async def accept_invite(
    administration: Administration, actor: Actor, user: User, name: str, *, token: str | None = None
) -> Domain:
    """Become a member: with the code, or because the account's own address was invited. Raises NoSuchInviteError."""
    domain = await administration.directory.get(Domain, name.lower())
    now = administration.clock.now()
    offer = None if domain is None else _offer(domain, now, token=token, address=user.address)
    if domain is None or offer is None:
        raise NoSuchInviteError

    def change(found: Domain) -> Domain:
        if _offer(found, now, token=token, address=user.address) is None:
            raise NoSuchInviteError
        if len(found.members) >= MEMBERS_LIMIT:
            raise InvalidError(f"A domain has at most {MEMBERS_LIMIT} members")
        others = [one for one in found.members if one.user_id != user.id]
        rest = tuple(one for one in found.invites if one.token_hash != offer.token_hash)
        return msgspec.structs.replace(found, members=(*others, Member(user.id, offer.group)), invites=rest)

    stored = await _change(administration, domain.id, change)
    await administration.audit(actor, "member.add", domain.id, user=user.address, group=offer.group)
    return stored


async def sign_up(administration: Administration, address: str, password: str | None, token: str) -> tuple[User, str]:
    """Make an account with an invite's code; returns the user and the password, generated when None is given.

    Only who read the letter knows the code, so the address is proved. Raises NoSuchInviteError, UserExistsError.
    """
    address = normal_address(address)
    now = administration.clock.now()
    for domain in await administration.directory.find(Domain):
        offer = _offer(domain, now, token=token, address=None)
        if offer is not None and offer.address == address:
            inviter = Actor(f"invite to {domain.id}", "server", is_admin=True)
            user, chosen = await add_user(administration, inviter, address, password=password, is_admin=False)
            actor = Actor(user.address, "user", user.id)
            await accept_invite(administration, actor, user, domain.id, token=token)
            return user, chosen
    raise NoSuchInviteError


async def set_member(administration: Administration, actor: Actor, name: str, user_id: str, group: Group) -> Domain:
    """Give a member another role. Raises NotFoundError, PermissionDeniedError."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    _member(domain, user_id)

    def change(found: Domain) -> Domain:
        _member(found, user_id)
        members = (Member(user_id, group) if one.user_id == user_id else one for one in found.members)
        return msgspec.structs.replace(found, members=tuple(members))

    stored = await _change(administration, domain.id, change)
    await administration.audit(actor, "member.set", domain.id, user=user_id, group=group)
    return stored


async def remove_member(administration: Administration, actor: Actor, name: str, user_id: str) -> Domain:
    """Take somebody's role away; one's own, too. Aliases stay. Raises NotFoundError, PermissionDeniedError."""
    domain = await find_domain(administration, name)
    require_member(actor, domain)
    if user_id != actor.user_id:
        require_domain(actor, domain)
    _member(domain, user_id)

    def change(found: Domain) -> Domain:
        return msgspec.structs.replace(found, members=tuple(one for one in found.members if one.user_id != user_id))

    stored = await _change(administration, domain.id, change)
    await administration.audit(actor, "member.remove", domain.id, user=user_id)
    return stored


def _member(domain: Domain, user_id: str) -> Member:
    if user_id == domain.owner_id:
        raise PermissionDeniedError("The owner stays: give the domain to somebody else first")
    found = next((one for one in domain.members if one.user_id == user_id), None)
    if found is None:
        raise NotFoundError(f"{domain.id} has no such member")
    return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _offer(domain: Domain, now: float, *, token: str | None, address: str | None) -> Invite | None:
    """The invite of that code, or without one of that address, while it lasts."""
    for one in domain.invites:
        if one.expires_at <= now:
            continue
        if token is not None and hmac.compare_digest(one.token_hash, _hash(token)):
            return one
        if token is None and one.address == address:
            return one
    return None
