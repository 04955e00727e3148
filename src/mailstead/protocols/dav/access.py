"""Who may do what (RFC 3744 §3), and whose collections a principal sees.

This decides for owners alone: they may do everything with what is theirs, and nobody else knows that it exists.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import c, d
from mailstead.protocols.dav.resources import CollectionResource, Holder, Home, Principal, Privilege
from mailstead.protocols.dav.xml.writer import element
from mailstead.stores.sharing.shares import Rights

if TYPE_CHECKING:
    from mailstead.protocols.dav.exchange import Exchange

READ, WRITE = d("read"), d("write")
WRITE_PROPERTIES, WRITE_CONTENT, BIND, UNBIND = d("write-properties"), d("write-content"), d("bind"), d("unbind")
UNLOCK, READ_ACL, READ_OWN = d("unlock"), d("read-acl"), d("read-current-user-privilege-set")
WRITE_ACL, ALL, FREE_BUSY = d("write-acl"), d("all"), c("read-free-busy")
READER = frozenset((READ, READ_OWN, FREE_BUSY))
WRITER = READER | {WRITE, WRITE_PROPERTIES, WRITE_CONTENT, BIND, UNBIND, UNLOCK}
OWNER = WRITER | {ALL, READ_ACL, WRITE_ACL}
FILLED = OWNER - (WRITER - READER) | {WRITE_PROPERTIES}
"""What an owner may do with a collection that is filled from elsewhere: read it, name it, share it."""


DELIVER, SEND = c("schedule-deliver"), c("schedule-send")
DELIVERIES = (c("schedule-deliver-invite"), c("schedule-deliver-reply"), c("schedule-query-freebusy"))
SENDINGS = (c("schedule-send-invite"), c("schedule-send-reply"), c("schedule-send-freebusy"))
BOX_RIGHTS = {
    "inbox": frozenset((READ, READ_OWN, READ_ACL, UNBIND, WRITE_PROPERTIES, UNLOCK, DELIVER, *DELIVERIES)),
    "outbox": frozenset((READ, READ_OWN, READ_ACL, SEND, *SENDINGS)),
}
"""What an owner may do with the scheduling inbox and outbox (RFC 6638 §6)."""


class Access:
    """The decisions, in one place."""

    async def holder(self, exchange: "Exchange", address: str) -> Holder | None:
        """The mailbox of an address, when who asks may see anything in it."""
        if address != exchange.account.address:
            return None
        return exchange.own

    async def principal(self, exchange: "Exchange", address: str) -> Principal | None:
        """The principal of an address, when who asks may see it."""
        if address == exchange.account.address:
            return Principal(address, address, True)
        return None

    async def principals(self, exchange: "Exchange") -> Sequence[Principal]:
        """The principals that who asks may see."""
        return [Principal(exchange.account.address, exchange.account.address, True)]

    async def home_rights(self, _exchange: "Exchange", _holder: Holder) -> frozenset[Privilege]:
        """What may be done with a home itself."""
        return OWNER

    async def others(self, _exchange: "Exchange", _home: Home) -> Sequence[CollectionResource]:
        """Collections that are shown in a home beside its own."""
        return ()

    async def seen(self, _exchange: "Exchange", collection: CollectionResource) -> CollectionResource | None:
        """The collection with the rights of who asks, None when it may not be seen."""
        return collection

    async def leave(self, _exchange: "Exchange", _collection: CollectionResource) -> None:
        """A collection of another owner is deleted from the home that shows it. Raises DavError."""
        raise DavError(403, "Another owner's collection cannot be deleted")

    async def shared_with(
        self, _exchange: "Exchange", _collection: CollectionResource
    ) -> Sequence[tuple[Principal, frozenset[Privilege]]]:
        """Who else may do what with a collection of one's own."""
        return ()

    async def share(
        self, _exchange: "Exchange", _collection: CollectionResource, _wanted: Mapping[str, Rights]
    ) -> None:
        """Let these addresses, and nobody else, see a collection of one's own. Raises DavError."""
        raise DavError(403, "Nothing is shared here", d("no-ace-conflict"))


def need(rights: frozenset[Privilege], privilege: Privilege, href: str) -> None:
    """Raises DavError with DAV:need-privileges (RFC 3744 §7.1.1)."""
    if privilege in rights:
        return
    wanted = element(d("resource"), f"<D:href>{href}</D:href><D:privilege>{element(privilege)}</D:privilege>")
    raise DavError(403, "Not allowed", d("need-privileges"), wanted)
