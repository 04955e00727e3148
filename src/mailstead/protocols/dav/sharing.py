"""Access by shares: collections of others are shown in the home of those that they are shared with.

The directory's rows are looked at for each request: what is taken back is gone at once. The owner's mailbox is opened
with the key that the server has; a zero-access mailbox has none, and shows nothing to others.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from xml.sax.saxutils import unescape

from msgspec.structs import replace

from mailstead.protocols.dav.access import FILLED, READER, WRITER, Access
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.resources import CollectionResource, Home, Principal, Privilege
from mailstead.protocols.dav.xml.writer import element, escape
from mailstead.stores.mailbox.dav.collections import TITLES
from mailstead.stores.mailbox.dav.records import Collection, NoSuchCollectionError
from mailstead.stores.sharing.shares import MOST_SHARES, Rights, Share, Shares
from mailstead.stores.sharing.subscriptions import Subscriptions

PREFIX = "shared-"
Told = Callable[[str, Collection, str, str], Awaitable[None]]
"""Hears of a share that is given or ended over DAV: owner, collection, sharee, rights ("" when it is ended)."""
_NAME = d("displayname")
_TEXT = re.compile(r">([^<]*)<")


class SharedAccess(Access):
    """See Access."""

    def __init__(self, shares: Shares, subscriptions: Subscriptions, told: Told | None = None) -> None:
        self._shares = shares
        self._subscriptions = subscriptions
        self._told = told

    async def principal(self, exchange: Exchange, address: str) -> Principal | None:
        """Besides oneself, those who share something with who asks, and the other way round."""
        found = await super().principal(exchange, address)
        if found is not None:
            return found
        alias = await exchange.services.directory.alias(address)
        if alias is None or not alias.mailbox_id:
            return None
        own = exchange.account.mailbox_id
        shares = [*await self._shares.with_sharee(own), *await self._shares.of_owner(own)]
        is_known = any(alias.mailbox_id in (one.owner, one.sharee) for one in shares)
        return Principal(address, address, False) if is_known else None

    async def others(self, exchange: Exchange, home: Home) -> Sequence[CollectionResource]:
        """What is shared with the home's owner, who asks."""
        if home.kind.kind not in ("calendar", "addressbook"):
            return ()
        found = []
        for share in await self._shares.with_sharee(exchange.account.mailbox_id):
            if share.kind == home.kind.kind:
                collection = await self._opened(exchange, home, share)
                if collection is not None:
                    found.append(collection)
        return found

    async def _opened(self, exchange: Exchange, home: Home, share: Share) -> CollectionResource | None:
        services = exchange.services
        alias = await services.directory.alias_of_mailbox(share.owner)
        key = None if alias is None or not alias.enabled else await services.directory.mailbox_key(share.owner)
        if alias is None or key is None:
            return None
        with key:
            mailbox = await services.mailboxes.open(share.owner, key)
        try:
            record, properties = await exchange.run_short(mailbox, mailbox.dav.describe, share.collection_id)
        except NoSuchCollectionError:
            return None
        quota = services.settings.mailbox.quota if alias.quota is None else alias.quota
        can_write = share.rights == "write" and not record.is_made and not await self._is_fetched(share)
        rights = WRITER if can_write else READER
        shown = {**properties, _NAME: _named(record, properties.get(_NAME), alias.address)}
        return CollectionResource(
            home, PREFIX + share.id, record, rights, mailbox.dav, alias.address, mailbox, quota, shown
        )

    async def _is_fetched(self, share: Share) -> bool:
        return await self._subscriptions.of_collection(share.owner, share.collection_id) is not None

    async def seen(self, _exchange: Exchange, collection: CollectionResource) -> CollectionResource | None:
        """What comes from elsewhere can be read, renamed and deleted, not written into."""
        if collection.kind.kind != "calendar" or collection.mailbox is None:
            return collection
        mailbox_id = collection.mailbox.id
        if await self._subscriptions.of_collection(mailbox_id, collection.record.id) is None:
            return collection
        return replace(collection, rights=FILLED)

    async def leave(self, exchange: Exchange, collection: CollectionResource) -> None:
        """One with whom a collection is shared deletes it from the home: it is the share that ends. Raises DavError."""
        mailbox = collection.mailbox
        if mailbox is None:
            raise DavError(403, "This collection is made by the server")
        await self._shares.take_back(mailbox.id, collection.record.id, exchange.account.mailbox_id)

    async def shared_with(
        self, exchange: Exchange, collection: CollectionResource
    ) -> Sequence[tuple[Principal, frozenset[Privilege]]]:
        """See Access."""
        found = []
        for share in await self._of(collection):
            alias = await exchange.services.directory.alias_of_mailbox(share.sharee)
            if alias is not None:
                rights = WRITER if share.rights == "write" else READER
                found.append((Principal(alias.address, alias.address, False), rights))
        return found

    async def share(self, exchange: Exchange, collection: CollectionResource, wanted: Mapping[str, Rights]) -> None:
        """See Access."""
        mailbox, directory = collection.mailbox, exchange.services.directory
        kind = collection.record.kind
        if mailbox is None or kind not in ("calendar", "addressbook"):
            raise DavError(403, "This collection cannot be shared", d("no-ace-conflict"))
        own = await directory.alias_of_mailbox(mailbox.id)
        if wanted and (own is None or own.is_locked):
            raise DavError(403, "A zero-access mailbox cannot share", d("no-ace-conflict"))
        sharees: dict[str, Rights] = {}
        for address, rights in wanted.items():
            alias = await directory.alias(address)
            if alias is None or not alias.mailbox_id:
                raise DavError(403, "There is no such principal", d("recognized-principal"))
            sharees[alias.mailbox_id] = rights
        before = {one.sharee: one.rights for one in await self._of(collection)}
        others = [one for one in await self._shares.of_owner(mailbox.id) if one.collection_id != collection.record.id]
        if len(others) + len(sharees) > MOST_SHARES:
            raise DavError(403, f"At most {MOST_SHARES} shares", d("limited-number-of-aces"))
        for sharee in before.keys() - sharees.keys():
            await self._shares.take_back(mailbox.id, collection.record.id, sharee)
            await self._tell(exchange, collection, sharee, "")
        for sharee, rights in sharees.items():
            if before.get(sharee) != rights:
                await self._shares.give(mailbox.id, kind, collection.record.id, sharee, rights)
                await self._tell(exchange, collection, sharee, rights)

    async def _of(self, collection: CollectionResource) -> list[Share]:
        mailbox = collection.mailbox
        shares = [] if mailbox is None else await self._shares.of_owner(mailbox.id)
        return [one for one in shares if one.collection_id == collection.record.id]

    async def _tell(self, exchange: Exchange, collection: CollectionResource, sharee: str, rights: str) -> None:
        if self._told is not None:
            alias = await exchange.services.directory.alias_of_mailbox(sharee)
            with_whom = sharee if alias is None else alias.address
            await self._told(exchange.account.address, collection.record, with_whom, rights)


def _named(record: Collection, own: bytes | None, owner: str) -> bytes:
    """DAV:displayname of a shared collection: its owner's name for it, and whose it is."""
    found = None if own is None else _TEXT.search(own.decode("utf-8", "replace"))
    name = unescape(found[1]) if found is not None else TITLES.get((record.kind, record.name), record.name)
    return element(_NAME, escape(f"{name} ({owner})")).encode()
