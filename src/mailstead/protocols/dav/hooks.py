"""What happens around a change of an object: scheduling and its like take part here."""

from typing import TYPE_CHECKING, Literal

import msgspec

from mailstead.protocols.dav.resources import CollectionResource
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow

if TYPE_CHECKING:
    from mailstead.protocols.dav.exchange import Exchange

Cause = Literal["put", "delete", "copy", "move"]


class Change(msgspec.Struct, frozen=True):
    """An object is stored (`new`) or deleted (`new` is None); `old` and its octets are what is there before."""

    cause: Cause
    collection: CollectionResource
    name: str
    old: ObjectRow | None
    old_data: bytes | None
    new: NewObject | None


class Hooks:
    """Does nothing. A hook may look further than the change itself: it runs on the event loop and may await."""

    wants_old_data = False
    """Whether `Change.old_data` is to be read for a hook."""

    async def before(self, _exchange: "Exchange", change: Change) -> NewObject | None:
        """What is stored instead (then the client gets no ETag), or `change.new`. Raises DavError to refuse."""
        return change.new

    async def after(
        self, _exchange: "Exchange", _change: Change, _row: ObjectRow | None
    ) -> tuple[tuple[str, str], ...]:
        """The change is durable; header fields for the response."""
        return ()
