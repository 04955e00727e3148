"""Changes of calendars over CalDAV, carried to scheduling (RFC 6638 §3.2)."""

import msgspec

from mailstead.mail.scheduling.implicit import ImplicitScheduling, ScheduledChange, SchedulingRefusedError, has_people
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Change, Hooks
from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.storing import mailbox_of
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow


class SchedulingHooks(Hooks):
    """See Hooks."""

    wants_old_data = True

    def __init__(self, scheduling: ImplicitScheduling) -> None:
        self._scheduling = scheduling

    async def before(self, exchange: Exchange, change: Change) -> NewObject | None:
        """Decide, tell, and say what is stored. Raises DavError."""
        _check_tag(exchange, change)
        new, collection = change.new, change.collection
        if collection.kind.kind != "calendar":
            return new
        if change.cause in ("copy", "move"):
            return _carried(change)
        asked = exchange.request.header
        scheduled = ScheduledChange(
            mailbox_of(collection),
            collection.record.id,
            change.old,
            change.old_data,
            new,
            asked("schedule-reply").upper() != "F",
            bool(asked("if-schedule-tag-match")),
        )
        try:
            return await self._scheduling.decide(scheduled, "caldav")
        except SchedulingRefusedError as error:
            inner = ""
            if error.place is not None:
                path = collection.home.href + "/".join(encode(one) for one in error.place)
                inner = f"<D:href>{escape(path)}</D:href>"
            raise DavError(403, error.public_text, c(error.condition), inner) from None

    async def after(self, _exchange: Exchange, _change: Change, row: ObjectRow | None) -> tuple[tuple[str, str], ...]:
        """Schedule-Tag (RFC 6638 §8.2)."""
        return (("Schedule-Tag", row.schedule_tag),) if row is not None and row.schedule_tag else ()


def _carried(change: Change) -> NewObject | None:
    """An object in another place is told to nobody; two with the same people are not made (RFC 6638 §3.2.3.3)."""
    new = change.new
    if new is None or not has_people(new.data):
        return new
    if change.cause == "copy":
        raise DavError(403, "An event with attendees is not copied", c("unique-scheduling-object-resource"))
    return msgspec.structs.replace(new, schedule_tag=etag_of(new.data))


def _check_tag(exchange: Exchange, change: Change) -> None:
    """If-Schedule-Tag-Match (RFC 6638 §8.3). Raises DavError 412."""
    wanted = exchange.request.header("if-schedule-tag-match")
    if wanted and change.cause in ("put", "delete") and (change.old is None or change.old.schedule_tag != wanted):
        raise DavError(412, "The object has not that Schedule-Tag")
