"""The first administrator: made by whoever holds the link that the server printed at its first start."""

import hashlib
import secrets

import msgspec

from mailstead.administration.actor import COMMAND_LINE, Administration
from mailstead.administration.aliases import find_domain
from mailstead.administration.domains import add_domain
from mailstead.administration.users import add_user
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.directory.names import domain_name, split_address
from mailstead.stores.directory.records import Domain, User
from mailstead.stores.documents.interface import CollectionSpec, Index

LINKS = CollectionSpec("setup", (Index(("expires_at",), expire_after=0),))
LINK_SECONDS = 7 * 86400.0
PASSWORD_LEAST = 12
_OCTETS = 24


class LinkUsedError(NotFoundError):
    """The link was used, is too old, or never was."""

    public_text = "This link is no longer valid. Start the server again for a new one."


def _identifier(token: str) -> str:
    return hashlib.sha256(b"setup\0" + token.encode()).hexdigest()


async def new_setup_token(administration: Administration) -> str | None:
    """The text of a new link, which replaces those before; None when there is an administrator."""
    if any(user.is_admin for user in await administration.directory.find(User)):
        return None
    links = await administration.documents.collection(LINKS)
    await links.delete_many({})
    token = secrets.token_urlsafe(_OCTETS)
    await links.insert({"id": _identifier(token), "expires_at": administration.clock.now() + LINK_SECONDS})
    return token


async def check_setup_token(administration: Administration, token: str) -> None:
    """Raises LinkUsedError unless the link may be used."""
    document = await (await administration.documents.collection(LINKS)).get(_identifier(token))
    if document is None or document["expires_at"] <= administration.clock.now():
        raise LinkUsedError


async def set_up(administration: Administration, token: str, *, domain: str, name: str, password: str) -> Domain:
    """Make the domain and its administrator `name`@`domain`; the link is used up by that.

    Raises LinkUsedError, InvalidError, InvalidAddressError; then the link may be used again.
    """
    await check_setup_token(administration, token)
    if len(password) < PASSWORD_LEAST:
        raise InvalidError(f"The password needs {PASSWORD_LEAST} characters or more")
    domain = domain_name(domain)
    address = "@".join(split_address(f"{name}@{domain}"))
    links = await administration.documents.collection(LINKS)
    if not await links.delete(_identifier(token)):
        raise LinkUsedError
    try:
        if await administration.directory.get(Domain, domain) is None:
            await add_domain(administration, COMMAND_LINE, domain)
        user, _ = await add_user(administration, COMMAND_LINE, address, password=password, is_admin=True)
    except BaseException:
        await links.insert({"id": _identifier(token), "expires_at": administration.clock.now() + LINK_SECONDS})
        raise
    found = await find_domain(administration, domain)
    if not found.owner_id:
        found = await administration.directory.replace(msgspec.structs.replace(found, owner_id=user.id))
    return found
