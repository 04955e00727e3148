"""What happens around a change of an object: scheduling and its like take part here."""

from typing import TYPE_CHECKING, Literal

import msgspec

from mailstead.protocols.dav.resources import CollectionResource
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow

if TYPE_CHECKING:
    from mailstead.protocols.dav.exchange import Exchange

Cause = Literal["put", "delete", "copy", "move"]


class Change(msgspec.Struct, frozen=True):
    """An object is stored (`new`) or deleted (`new` is None); `old` and its octets are what is there before.

    `source` is the collection that it is copied or moved from.
    """

    cause: Cause
    collection: CollectionResource
    name: str
    old: ObjectRow | None
    old_data: bytes | None
    new: NewObject | None
    source: CollectionResource | None = None


class Kept(msgspec.Struct, frozen=True):
    """What is stored (None: it is deleted), and records of what is owed for it, kept in the same transaction."""

    new: NewObject | None
    owes: tuple[NewObject, ...] = ()


class Hooks:
    """Does nothing. A hook may look further than the change itself: it runs on the event loop and may await."""

    wants_old_data = False
    """Whether `Change.old_data` is to be read for a hook."""

    async def seen(self, _exchange: "Exchange") -> None:
        """A request of somebody comes."""

    async def before(self, _exchange: "Exchange", change: Change) -> Kept:
        """What is stored instead (then the client gets no ETag), or `change.new`. Raises DavError to refuse."""
        return Kept(change.new)

    async def after(
        self, _exchange: "Exchange", _change: Change, _kept: Kept, _row: ObjectRow | None
    ) -> tuple[tuple[str, str], ...]:
        """The change is durable; header fields for the response."""
        return ()
