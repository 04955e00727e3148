"""Who else sees calendars and address books: shares."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.calendars import CollectionKind, find_collection
from mailstead.administration.opening import opened_mailbox
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.directory.records import Alias
from mailstead.stores.sharing.shares import Rights, Share, Shares

_MOST = 200


class ShareShown(msgspec.Struct, frozen=True):
    """A share with names in the place of ids; `name` is the collection's, empty when it is gone."""

    owner: str
    kind: str
    name: str
    sharee: str
    rights: Rights
    collection_id: int


async def share_collection(
    administration: Administration,
    actor: Actor,
    address: str,
    kind: CollectionKind,
    name: str,
    sharee: str,
    rights: Rights,
    current: str | None = None,
) -> Share:
    """Show a collection of `address` to the account `sharee`, or change what that one may do with it.

    Raises NotFoundError, InvalidError (a zero-access mailbox, or oneself), and as opened_mailbox does.
    """
    shares = _shares(administration)
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        collection = await administration.mailboxes.run(find_collection, mailbox.dav, kind, name)
    if alias.is_locked:
        raise InvalidError("A zero-access mailbox cannot share: nobody but its owner has its key")
    other = await administration.directory.resolve(sharee)
    if other.outcome != "accepted" or other.alias is None or not other.alias.mailbox_id:
        raise NotFoundError(f"There is no account {sharee} here")
    if other.alias.mailbox_id == alias.mailbox_id:
        raise InvalidError("A collection is shared with somebody else")
    if len(await shares.of_owner(alias.mailbox_id)) >= _MOST:
        raise InvalidError(f"At most {_MOST} shares")
    share = await shares.give(alias.mailbox_id, kind, collection.id, other.alias.mailbox_id, rights)
    await administration.audit(
        actor, "share.give", alias.address, kind=kind, name=name, sharee=other.alias.address, rights=rights
    )
    return share


async def unshare_collection(
    administration: Administration,
    actor: Actor,
    address: str,
    kind: CollectionKind,
    name: str,
    sharee: str,
    current: str | None = None,
) -> None:
    """Take a share back; at once. Raises NotFoundError."""
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        collection = await administration.mailboxes.run(find_collection, mailbox.dav, kind, name)
    other = await find_sharee(administration, sharee)
    if not await _shares(administration).take_back(alias.mailbox_id, collection.id, other.mailbox_id):
        raise NotFoundError(f"{name} is not shared with {sharee}")
    await administration.audit(actor, "share.end", alias.address, kind=kind, name=name, sharee=other.address)


async def find_sharee(administration: Administration, address: str) -> Alias:
    """The account of an address. Raises NotFoundError."""
    found = await administration.directory.resolve(address)
    if found.alias is None or not found.alias.mailbox_id:
        raise NotFoundError(f"There is no account {address} here")
    return found.alias


async def list_shares(
    administration: Administration, actor: Actor, address: str, current: str | None = None
) -> list[ShareShown]:
    """What a mailbox shares. Raises as opened_mailbox does."""
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        names: dict[int, str] = {}
        for kind in ("calendar", "addressbook"):
            for one in await administration.mailboxes.run(mailbox.dav.collections, kind):
                names[one.id] = one.name
    shown = []
    for share in await _shares(administration).of_owner(alias.mailbox_id):
        sharee = await administration.directory.alias_of_mailbox(share.sharee)
        if share.collection_id in names and sharee is not None:
            name = names[share.collection_id]
            shown.append(ShareShown(alias.address, share.kind, name, sharee.address, share.rights, share.collection_id))
    return shown


def _shares(administration: Administration) -> Shares:
    return Shares(administration.documents, administration.clock)
