"""The first administrator: made by whoever holds the link that the server printed at its first start."""

import hashlib
import secrets

import msgspec

from mailstead.administration.actor import COMMAND_LINE, Administration
from mailstead.administration.aliases import add_alias, find_domain
from mailstead.administration.domains import add_domain
from mailstead.administration.users import UserExistsError, add_user, find_user, set_user
from mailstead.foundation.errors import InvalidError, NotFoundError, TemporaryError
from mailstead.stores.directory.names import domain_name, split_address
from mailstead.stores.directory.records import ACCOUNT_LABEL, Domain, User
from mailstead.stores.documents.interface import CollectionSpec, Index

LINKS = CollectionSpec("setup", (Index(("expires_at",), expire_after=0),))
LINK_SECONDS = 7 * 86400.0
PASSWORD_LEAST = 12
_OCTETS = 24
_HOLD_SECONDS = 60.0  # longer than the making takes; after that, who began was cut off


class LinkUsedError(NotFoundError):
    """The link was used, is too old, or never was."""

    public_text = "This link is no longer valid. Start the server again for a new one."


class LinkInUseError(TemporaryError):
    """Somebody uses the link at this moment, or did until a minute ago and was cut off."""

    public_text = "The link is being used at this moment. Try again in a minute."


def _identifier(token: str) -> str:
    return hashlib.sha256(b"setup\0" + token.encode()).hexdigest()


async def new_setup_token(administration: Administration) -> str | None:
    """The text of a new link, which replaces those before; None when there is an administrator."""
    links = await administration.documents.collection(LINKS)
    await links.delete_many({})
    if any(user.is_admin for user in await administration.directory.find(User)):
        return None
    token = secrets.token_urlsafe(_OCTETS)
    expires_at = administration.clock.now() + LINK_SECONDS
    await links.insert({"id": _identifier(token), "expires_at": expires_at, "held_until": 0.0, "begun": ""})
    return token


async def check_setup_token(administration: Administration, token: str) -> None:
    """Raises LinkUsedError unless the link may be used."""
    document = await (await administration.documents.collection(LINKS)).get(_identifier(token))
    if document is None or document["expires_at"] <= administration.clock.now():
        raise LinkUsedError


async def set_up(administration: Administration, token: str, *, domain: str, name: str, password: str) -> Domain:
    """Make the domain and its administrator `name`@`domain`; the link is used up when all of it is done.

    What was cut off is finished by the same link with the same address, whose password is then the new one. Raises
    LinkUsedError, LinkInUseError, InvalidError, InvalidAddressError, UserExistsError; then the link may be used again.
    """
    await check_setup_token(administration, token)
    if len(password) < PASSWORD_LEAST:
        raise InvalidError(f"The password needs {PASSWORD_LEAST} characters or more")
    domain = domain_name(domain)
    address = "@".join(split_address(f"{name}@{domain}"))
    links = await administration.documents.collection(LINKS)
    identifier, now = _identifier(token), administration.clock.now()
    link = await links.claim({"id": identifier, "held_until": {"$lte": now}}, {"held_until": now + _HOLD_SECONDS})
    if link is None:
        raise LinkInUseError
    try:
        if await administration.directory.get(Domain, domain) is None:
            await add_domain(administration, COMMAND_LINE, domain)
        there = await administration.directory.find(User, address=address)
        if not there:
            await links.claim({"id": identifier}, {"begun": address})
            user, _ = await add_user(administration, COMMAND_LINE, address, password=password, is_admin=True)
        elif link["begun"] == address:
            user = await _finish(administration, address, password)
        else:
            raise UserExistsError(f"There is a user {address} already")
        found = await find_domain(administration, domain)
        if not found.owner_id:
            found = await administration.directory.replace(msgspec.structs.replace(found, owner_id=user.id))
    except BaseException:
        await links.claim({"id": identifier}, {"held_until": 0.0})
        raise
    await links.delete(identifier)
    return found


async def _finish(administration: Administration, address: str, password: str) -> User:
    """The administrator whose making was cut off, with the password given now."""
    if await administration.directory.alias(address) is None:
        user = await find_user(administration, address)
        await add_alias(administration, COMMAND_LINE, address, user_id=user.id, password=password, label=ACCOUNT_LABEL)
    return await set_user(administration, COMMAND_LINE, address, password=password, is_admin=True)
