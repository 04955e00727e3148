"""Users: people with an account."""

from collections.abc import Sequence

import msgspec
from argon2 import PasswordHasher

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.administration.aliases import UnknownNameError, add_alias
from mailstead.administration.passwords import set_account_password
from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import AuthenticationError, InvalidError, PermanentError, PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.names import split_address
from mailstead.stores.directory.records import ACCOUNT_LABEL, Alias, Domain, User
from mailstead.stores.documents.interface import DuplicateError


class UserExistsError(PermanentError):
    """There is a user of that address."""

    http_status = 409


def normal_address(address: str) -> str:
    """The address in its compared form. Raises InvalidAddressError."""
    return "@".join(split_address(address))


async def find_user(administration: Administration, address: str) -> User:
    """The user of that address. Raises UnknownNameError."""
    found = await administration.directory.find(User, address=normal_address(address))
    if not found:
        raise UnknownNameError("user", address)
    return found[0]


async def _hashed(administration: Administration, password: str) -> str:
    cost = administration.authenticator.cost
    hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kibibytes, parallelism=cost.lanes)
    return await administration.authenticator.derive(hasher.hash, password)


async def add_user(
    administration: Administration, actor: Actor, address: str, *, password: str | None, is_admin: bool
) -> tuple[User, str]:
    """Add a user; returns the user and the password, generated when None is given.

    When the address's domain is served here, the address becomes a mailbox that the account password opens. Raises
    UserExistsError, InvalidAddressError, PermissionDeniedError.
    """
    require_admin(actor)
    address = normal_address(address)
    password = password or new_app_password()
    user = User(
        id=new_ulid(administration.clock.now()),
        address=address,
        is_admin=is_admin,
        password=await _hashed(administration, password),
        created_at=administration.clock.now(),
        version=1,
    )
    try:
        await administration.directory.add(user)
    except DuplicateError:
        raise UserExistsError(f"There is a user {address} already") from None
    await administration.audit(actor, "user.add", address, admin=is_admin)
    domain = address.rpartition("@")[2]
    if await administration.directory.is_local_domain(domain):
        existing = await administration.directory.alias(address)
        if existing is None:
            await add_alias(administration, actor, address, user_id=user.id, password=password, label=ACCOUNT_LABEL)
    return user, password


async def list_users(administration: Administration, actor: Actor) -> Sequence[User]:
    """All users, by id (the order of their making)."""
    require_admin(actor)
    return await administration.directory.find(User)


async def set_user(
    administration: Administration, actor: Actor, address: str, *, password: str | None, is_admin: bool | None
) -> User:
    """Change a user's password or role."""
    require_admin(actor)
    user = await find_user(administration, address)
    if is_admin is not None:
        user = msgspec.structs.replace(user, is_admin=is_admin)
    if password is not None:
        user = msgspec.structs.replace(user, password=await _hashed(administration, password))
    user = await administration.directory.replace(user)
    if password is not None:
        alias = await administration.directory.alias(user.address)
        if alias is not None and alias.mailbox_id:
            await set_account_password(administration, alias, password)
    changed = [name for name, value in (("password", password), ("admin", is_admin)) if value is not None]
    await administration.audit(actor, "user.set", user.address, changed=changed)
    return user


async def change_password(
    administration: Administration, actor: Actor, user: User, current: str, password: str
) -> None:
    """Change one's own account password; sessions and app passwords stay. Raises PermissionDeniedError, InvalidError."""
    alias = await administration.directory.alias(user.address)
    if alias is None or not alias.mailbox_id:
        raise InvalidError("The account has no mailbox here, and so no password")
    held = [slot for slot in alias.slots if slot.label == ACCOUNT_LABEL]
    try:
        (await administration.authenticator.open_slots(held, current)).close()
    except AuthenticationError:
        raise PermissionDeniedError("The current password is wrong") from None
    await set_account_password(administration, alias, password, current=current)
    await administration.directory.replace(
        msgspec.structs.replace(user, password=await _hashed(administration, password))
    )
    await administration.audit(actor, "user.set", user.address, changed=["password"])


async def remove_user(administration: Administration, actor: Actor, address: str) -> None:
    """Remove a user who owns no domain; the user's aliases go to the owner of their domain."""
    require_admin(actor)
    user = await find_user(administration, address)
    owned = await administration.directory.find(Domain, owner_id=user.id)
    if owned:
        names = ", ".join(domain.id for domain in owned)
        raise PermanentError(f"{address} owns {names}: give them to somebody else first (domain set --owner)")
    for alias in await administration.directory.find(Alias, user_id=user.id):
        domain = await administration.directory.get(Domain, alias.domain)
        if domain is not None:
            await administration.directory.replace(msgspec.structs.replace(alias, user_id=domain.owner_id))
    await administration.directory.remove(user)
    await administration.audit(actor, "user.remove", user.address)
