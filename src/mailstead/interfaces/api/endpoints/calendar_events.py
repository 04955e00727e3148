"""Events of calendars: iCalendar as it was written, with what lists need of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import QueryParameter

from mailstead.formats.content_lines.component import Component, ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import CalendarObject, read_calendar_object
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.values import moment_of
from mailstead.formats.icalendar.zones import Zones
from mailstead.foundation.errors import AlreadyExistsError, InvalidError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.conditions import ETAG, answered, wanted_etag
from mailstead.interfaces.api.dav import (
    found_collection,
    found_object,
    identifier,
    object_name,
)
from mailstead.interfaces.api.endpoints.calendars import LETTER as CALENDAR
from mailstead.interfaces.api.mailbox import opened, quota_of
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.pages import Page, PageLimit, PageNumber, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.dav.records import Collection, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox

LETTER = "E"
_USUAL, _MOST = 50, 200
_ENDING = ".ics"
_AGES = -(2**40), 2**40
Ical = Annotated[str, msgspec.Meta(min_length=1)]


class EventShown(msgspec.Struct, frozen=True):
    """An event; `start_date` and `end_date` are of its first instance, null where it has none."""

    id: str
    calendar_id: str
    event_id: str
    uid: str
    component: str
    summary: str
    description: str
    location: str
    start_date: str | None
    end_date: str | None
    is_all_day: bool
    is_recurring: bool
    etag: str
    updated_at: str
    ical: str
    object: str = "calendar_event"


class EventGone(msgspec.Struct, frozen=True):
    """An event that was deleted, and when."""

    id: str
    calendar_id: str
    uid: str
    deleted_at: str
    object: str = "calendar_event"


class EventWanted(msgspec.Struct, frozen=True):
    """An event to be kept: one calendar object (RFC 4791 §4.1) in `ical`; in the first calendar where none is named."""

    ical: Ical
    calendar_id: str = ""
    event_id: str = ""


class EventChange(msgspec.Struct, frozen=True):
    """What takes the place of the event."""

    ical: Ical


def read(data: bytes, services: ApiServices) -> CalendarObject:
    """The calendar object. Raises InvalidError."""
    settings = services.settings.dav
    bounds = ContentBounds(settings.object_size, settings.object_depth, settings.object_lines)
    try:
        return read_calendar_object(data, bounds)
    except ContentError as error:
        raise InvalidError(f"ical: {error}") from None


def _octets(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidError("ical has characters that have no form in UTF-8") from None


def shown(collection: Collection, row: ObjectRow, data: bytes, services: ApiServices) -> EventShown:
    """The event as the API tells it."""
    found = read(data, services)
    first = found.master or found.overrides[0]
    start, end, is_all_day = _times(found, first)
    return EventShown(
        identifier(LETTER, row.id),
        identifier(CALENDAR, collection.id),
        row.name.removesuffix(_ENDING),
        row.uid,
        row.component,
        _text(first, "SUMMARY"),
        _text(first, "DESCRIPTION"),
        _text(first, "LOCATION"),
        start,
        end,
        is_all_day,
        first.first("RRULE") is not None or first.first("RDATE") is not None,
        row.etag,
        moment(row.changed_at),
        data.decode("utf-8", "replace"),
    )


def _text(component: Component, name: str) -> str:
    line = component.first(name)
    return "" if line is None else line.text


def _times(found: CalendarObject, first: Component) -> tuple[str | None, str | None, bool]:
    """When the first instance begins and ends, and whether it is of whole days."""
    line = first.first("DTSTART")
    if line is None:
        return None, None, False
    zones = Zones(found.calendar)
    try:
        begin = moment_of(line)
        start = zones.instant(begin)
        single = CalendarObject(found.kind, found.uid, found.calendar, first, ())
        near = occurrences(single, zones, start, start + 1, ExpansionBounds(steps=1000))
        end = near[0].end if near else start
        return moment(start), moment(end), begin.is_date
    except (ContentError, RecurrenceLimitError, ValueError, OverflowError, OSError):
        return None, None, False


def _is_within(data: bytes, since: int, until: int, services: ApiServices) -> bool:
    settings = services.settings.dav
    found = read(data, services)
    bounds = ExpansionBounds(settings.recurrence_steps, settings.recurrence_dates)
    try:
        return bool(occurrences(found, Zones(found.calendar), since, until, bounds))
    except (ContentError, RecurrenceLimitError):
        return True  # what cannot be told is shown rather than hidden


def _window(
    mailbox: Mailbox,
    calendar_id: str,
    since: int | None,
    until: int | None,
    page: Page,
    services: ApiServices,
    *,
    newest_first: bool,
) -> tuple[list[EventShown], int]:
    calendars = (
        [found_collection(mailbox, "calendar", CALENDAR, calendar_id)]
        if calendar_id
        else mailbox.dav.collections("calendar")
    )
    rows = [(one, row) for one in calendars for row in mailbox.dav.objects(one.id, since, until)]
    rows.sort(key=lambda pair: (pair[1].changed_at, pair[1].id), reverse=newest_first)
    if since is not None or until is not None:
        start, end = since if since is not None else _AGES[0], until if until is not None else _AGES[1]
        rows = [pair for pair, data in _read(mailbox, rows) if _is_within(data, start, end, services)]
    items = [
        shown(one, row, data, services)
        for (one, row), data in _read(mailbox, rows[page.offset : page.offset + page.limit])
    ]
    return items, len(rows)


def _read(
    mailbox: Mailbox, rows: Sequence[tuple[Collection, ObjectRow]]
) -> list[tuple[tuple[Collection, ObjectRow], bytes]]:
    contents = mailbox.dav.read([row.id for _, row in rows])
    return [(pair, contents[pair[1].id]) for pair in rows if pair[1].id in contents]


class CalendarEventController(Controller):
    """/calendar-events"""

    path = "/calendar-events"
    tags = ("Calendars",)
    opt = {"access": MAILBOX}

    @get("/", summary="Events")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        calendar_id: Annotated[str, QueryParameter(max_length=30, description="Of one calendar")] = "",
        start_date: Annotated[str, QueryParameter(description="With an instance that ends after this time")] = "",
        end_date: Annotated[str, QueryParameter(description="With an instance that begins before this time")] = "",
        sort: Annotated[Literal["updated_at", "-updated_at"], QueryParameter(description="The order")] = "-updated_at",
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[EventShown]]:
        """The latest changed first; recurring events count with each of their instances."""
        page = page_of(number, limit, usual=_USUAL, most=_MOST)
        since = int(parse_moment(start_date)) if start_date else None
        until = int(parse_moment(end_date)) if end_date else None
        mailbox = await opened(services, identity)
        items, total = await services.mailboxes.run(
            _window, mailbox, calendar_id, since, until, page, services, newest_first=sort.startswith("-")
        )
        return paged(request, items, total, page)

    @post("/", status_code=200, summary="Keep an event", response_headers=[ETAG])
    async def add(self, data: EventWanted, identity: Identity, services: ApiServices) -> Response[EventShown]:
        """Its octets are kept as they are; who is invited is written to, as over CalDAV (RFC 6638)."""
        octets = _octets(data.ical)
        read(octets, services)
        mailbox = await opened(services, identity)
        calendar = await services.mailboxes.run(found_collection, mailbox, "calendar", CALENDAR, data.calendar_id)
        name = object_name(data.event_id or new_ulid(services.clock.now()).lower(), _ENDING)
        if await services.mailboxes.run(mailbox.dav.find, calendar.id, name) is not None:
            raise AlreadyExistsError("There is such an event already")
        quota = await quota_of(services, identity)
        row = await _put(services, mailbox, calendar, name, octets, None, quota)
        return await self._answer(services, mailbox, identifier(LETTER, row.id))

    @get("/{event_id:str}", summary="One event", response_headers=[ETAG])
    async def show(
        self, request: Request[Any, Any, Any], event_id: str, identity: Identity, services: ApiServices
    ) -> Response[EventShown]:
        """By its id; 304 when If-None-Match names its ETag."""
        mailbox = await opened(services, identity)
        answer = await self._answer(services, mailbox, event_id)
        return answered(request, answer.content, answer.content.etag)

    @put("/{event_id:str}", summary="Change an event", response_headers=[ETAG])
    async def change(
        self,
        request: Request[Any, Any, Any],
        event_id: str,
        data: EventChange,
        identity: Identity,
        services: ApiServices,
    ) -> Response[EventShown]:
        """412 when If-Match names another ETag than it has: somebody else changed it."""
        octets = _octets(data.ical)
        read(octets, services)
        mailbox = await opened(services, identity)
        calendar, row, _ = await services.mailboxes.run(found_object, mailbox, "calendar", LETTER, event_id)
        quota = await quota_of(services, identity)
        await _put(services, mailbox, calendar, row.name, octets, wanted_etag(request), quota)
        return await self._answer(services, mailbox, event_id)

    @delete("/{event_id:str}", status_code=200, summary="Delete an event")
    async def remove(
        self, request: Request[Any, Any, Any], event_id: str, identity: Identity, services: ApiServices
    ) -> EventGone:
        """Who was invited is told that it is cancelled; an invited one declines."""
        mailbox = await opened(services, identity)
        calendar, row, _ = await services.mailboxes.run(found_object, mailbox, "calendar", LETTER, event_id)
        await services.calendars.delete(mailbox, calendar.id, row.name, service="api", if_match=wanted_etag(request))
        return EventGone(event_id, identifier(CALENDAR, calendar.id), row.uid, moment(services.clock.now()))

    @staticmethod
    async def _answer(services: ApiServices, mailbox: Mailbox, event_id: str) -> Response[EventShown]:
        found = await services.mailboxes.run(found_object, mailbox, "calendar", LETTER, event_id)
        event = shown(*found, services)
        return Response(event, headers={"ETag": event.etag})


async def _put(
    services: ApiServices,
    mailbox: Mailbox,
    calendar: Collection,
    name: str,
    data: bytes,
    if_match: str | None,
    quota: int,
) -> ObjectRow:
    found = read(data, services)
    if calendar.components and found.kind not in calendar.components:
        raise InvalidError(f"This calendar takes no {found.kind}")
    try:
        return await services.calendars.put(
            mailbox, calendar.id, name, data, service="api", if_match=if_match, quota=quota
        )
    except ContentError as error:
        raise InvalidError(f"ical: {error}") from None
