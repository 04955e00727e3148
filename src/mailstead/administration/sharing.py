"""Who else sees calendars and address books: shares, links, and calendars of elsewhere."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.calendars import CollectionKind, find_collection
from mailstead.administration.opening import opened_mailbox
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.foundation.net.http.url import parse_url
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError
from mailstead.stores.sharing.links import CalendarLink, CalendarLinks
from mailstead.stores.sharing.shares import MOST_SHARES, Rights, Share, Shares
from mailstead.stores.sharing.subscriptions import Subscription, Subscriptions


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
    if len(await shares.of_owner(alias.mailbox_id)) >= MOST_SHARES:
        raise InvalidError(f"At most {MOST_SHARES} shares")
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


async def make_link(
    administration: Administration, actor: Actor, address: str, name: str, current: str | None = None
) -> tuple[CalendarLink, str]:
    """A link that shows a calendar to everybody who has it; its secret is shown this once.

    Raises InvalidError for a zero-access mailbox, and as opened_mailbox does.
    """
    alias, collection = await _calendar(administration, actor, address, name, current)
    if alias.is_locked:
        raise InvalidError("A zero-access mailbox cannot share: nobody but its owner has its key")
    made = await CalendarLinks(administration.documents, administration.clock).make(alias.mailbox_id, collection.id)
    await administration.audit(actor, "calendar.link", alias.address, name=name)
    return made


async def remove_links(
    administration: Administration, actor: Actor, address: str, name: str, current: str | None = None
) -> int:
    """End all links to a calendar; how many there were."""
    alias, collection = await _calendar(administration, actor, address, name, current)
    links = CalendarLinks(administration.documents, administration.clock)
    removed = await links.remove(alias.mailbox_id, collection.id)
    await administration.audit(actor, "calendar.unlink", alias.address, name=name, links=removed)
    return removed


async def subscribe(
    administration: Administration, actor: Actor, address: str, name: str, url: str, current: str | None = None
) -> Subscription:
    """Make a calendar that is filled from a URL of elsewhere, again and again.

    Raises InvalidError for a URL that cannot be fetched, CollectionExistsError, and as opened_mailbox does.
    """
    wanted = calendar_url(url)
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        if alias.is_locked:
            raise InvalidError("A zero-access mailbox cannot be written into while its owner is away")
        try:
            collection = await administration.mailboxes.run(mailbox.dav.create, "calendar", name, ())
        except CollectionExistsError:
            raise InvalidError("There is a calendar of that name") from None
    made = await Subscriptions(administration.documents, administration.clock).add(
        alias.mailbox_id, collection.id, wanted
    )
    await administration.audit(actor, "calendar.subscribe", alias.address, name=name)
    return made


def calendar_url(url: str) -> str:
    """The https URL of a calendar; webcal: means the same (as clients have it). Raises InvalidError."""
    text = url.strip()
    for prefix in ("webcal://", "webcals://"):
        if text.lower().startswith(prefix):
            text = "https://" + text[len(prefix) :]
    parse_url(text)
    return text


async def _calendar(
    administration: Administration, actor: Actor, address: str, name: str, current: str | None
) -> tuple[Alias, Collection]:
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        return alias, await administration.mailboxes.run(find_collection, mailbox.dav, "calendar", name)


def _shares(administration: Administration) -> Shares:
    return Shares(administration.documents, administration.clock)
