"""Changes of calendars over CalDAV, carried to scheduling (RFC 6638 §3.2)."""

from mailstead.mail.scheduling.implicit import (
    NOT_UNIQUE,
    Decision,
    ImplicitScheduling,
    ScheduledChange,
    SchedulingRefusedError,
)
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Change, Hooks, Kept
from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.resources import CollectionResource
from mailstead.protocols.dav.storing import mailbox_of
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.records import ObjectRow


class SchedulingHooks(Hooks):
    """See Hooks."""

    wants_old_data = True

    def __init__(self, scheduling: ImplicitScheduling) -> None:
        self._scheduling = scheduling

    async def seen(self, exchange: Exchange) -> None:
        """What a stopped server left untold is told."""
        await self._scheduling.resume(exchange.own.mailbox)

    async def before(self, exchange: Exchange, change: Change) -> Kept:
        """Decide what is stored, and who is to be told. Raises DavError."""
        _check_tag(exchange, change)
        if change.collection.kind.kind != "calendar":
            return Kept(change.new)
        try:
            decision = await self._decided(exchange, change)
        except SchedulingRefusedError as error:
            inner = ""
            if error.place is not None:
                path = change.collection.home.href + "/".join(encode(one) for one in error.place)
                inner = f"<D:href>{escape(path)}</D:href>"
            raise DavError(403, error.public_text, c(error.condition), inner) from None
        return Kept(decision.new, decision.owes)

    async def _decided(self, exchange: Exchange, change: Change) -> Decision:
        mailbox, source = mailbox_of(change.collection), change.source
        if change.new is not None and source is not None and source.mailbox is not None and _is_calendar(source):
            is_second = change.cause == "copy" and source.mailbox.id == mailbox.id
            if is_second and await self._scheduling.is_scheduled(mailbox, change.new.data):
                place = (source.record.name, change.new.name)  # nobody has one event twice (RFC 6638 §3.2.4.1)
                raise SchedulingRefusedError(NOT_UNIQUE, "An event with attendees is not copied", place)
            return await self._scheduling.carried(mailbox, change.new)
        asked = exchange.request.header
        scheduled = ScheduledChange(
            mailbox,
            change.collection.record.id,
            change.old,
            change.old_data,
            change.new,
            asked("schedule-reply").upper() != "F",
            bool(asked("if-schedule-tag-match")),
        )
        return await self._scheduling.decide(scheduled, "caldav")

    async def after(
        self, _exchange: Exchange, change: Change, kept: Kept, row: ObjectRow | None
    ) -> tuple[tuple[str, str], ...]:
        """Tell what is owed; Schedule-Tag (RFC 6638 §8.2)."""
        if kept.owes:
            await self._scheduling.carry(mailbox_of(change.collection), kept.owes)
        return (("Schedule-Tag", row.schedule_tag),) if row is not None and row.schedule_tag else ()


def _is_calendar(collection: CollectionResource) -> bool:
    return collection.kind.kind == "calendar"


def _check_tag(exchange: Exchange, change: Change) -> None:
    """If-Schedule-Tag-Match (RFC 6638 §8.3). Raises DavError 412."""
    wanted = exchange.request.header("if-schedule-tag-match")
    if wanted and change.cause in ("put", "delete") and (change.old is None or change.old.schedule_tag != wanted):
        raise DavError(412, "The object has not that Schedule-Tag")
