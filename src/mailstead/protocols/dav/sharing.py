"""Access by shares: collections of others are shown in the home of those that they are shared with.

The directory's rows are looked at for each request: what is taken back is gone at once. The owner's mailbox is opened
with the key that the server has; a zero-access mailbox has none, and shows nothing to others.
"""

import re
from collections.abc import Sequence
from xml.sax.saxutils import unescape

from msgspec.structs import replace

from mailstead.protocols.dav.access import FILLED, READER, WRITER, Access
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.resources import CollectionResource, Home, Principal
from mailstead.protocols.dav.xml.writer import element, escape
from mailstead.stores.mailbox.dav.collections import TITLES
from mailstead.stores.mailbox.dav.records import Collection, NoSuchCollectionError
from mailstead.stores.sharing.shares import Share, Shares
from mailstead.stores.sharing.subscriptions import Subscriptions

PREFIX = "shared-"
_NAME = d("displayname")
_TEXT = re.compile(r">([^<]*)<")


class SharedAccess(Access):
    """See Access."""

    def __init__(self, shares: Shares, subscriptions: Subscriptions) -> None:
        self._shares = shares
        self._subscriptions = subscriptions

    async def principal(self, exchange: Exchange, address: str) -> Principal | None:
        """Besides oneself, those who share something with who asks."""
        found = await super().principal(exchange, address)
        if found is not None:
            return found
        alias = await exchange.services.directory.alias(address)
        if alias is None or not alias.mailbox_id:
            return None
        shares = await self._shares.with_sharee(exchange.account.mailbox_id)
        return Principal(address, address, False) if any(one.owner == alias.mailbox_id for one in shares) else None

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


def _named(record: Collection, own: bytes | None, owner: str) -> bytes:
    """DAV:displayname of a shared collection: its owner's name for it, and whose it is."""
    found = None if own is None else _TEXT.search(own.decode("utf-8", "replace"))
    name = unescape(found[1]) if found is not None else TITLES.get((record.kind, record.name), record.name)
    return element(_NAME, escape(f"{name} ({owner})")).encode()
