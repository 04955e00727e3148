"""C:free-busy-query (RFC 4791 §7.10)."""

from collections.abc import Sequence

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.free_busy import Busy, busy_periods, free_busy_lines, merged
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.selecting import write_component
from mailstead.formats.icalendar.values import DAY, utc_text
from mailstead.formats.icalendar.zones import Zones
from mailstead.mail.scheduling.message import PRODID
from mailstead.protocols.dav.access import FREE_BUSY
from mailstead.protocols.dav.caldav.time_range import floating_zone, time_range
from mailstead.protocols.dav.content import content_bounds, expansion_bounds
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.reports.querying import searched
from mailstead.protocols.dav.resources import CollectionResource, Resource
from mailstead.protocols.dav.tree import not_found
from mailstead.protocols.dav.walk import depth_of, portions
from mailstead.protocols.dav.xml.reader import Element

_YEARS = 20 * 366 * DAY  # the longest range that is told


async def free_busy_query(exchange: Exchange, _: PropertyTable, resource: Resource, root: Element) -> Response:
    """When who has these calendars is busy, as iCalendar. Raises DavError."""
    element = root.first(c("time-range"))
    if element is None:
        raise DavError(400, "There is no time-range")
    since, until = time_range(element, needs_both=True)
    if until - since > _YEARS:
        raise DavError(403, "The time-range is longer than allowed", c("valid-filter"))
    found: list[Busy] = []
    for place in await searched(exchange, resource, depth_of(exchange.request, "1"), "calendar"):
        if FREE_BUSY not in place.rights:
            raise not_found()  # RFC 4791 §6.1.1: that there is one is told to nobody else
        if not is_transparent(place):
            found += await exchange.run(busy_in, exchange, place, since, until)
    body = _told(merged(found), since, until, exchange.now)
    return Response(200, (), body, "text/calendar; charset=utf-8")


def _told(busy: Sequence[Busy], since: int, until: int, now: float) -> bytes:
    """A calendar with one VFREEBUSY."""
    calendar, inner = Component("VCALENDAR"), Component("VFREEBUSY")
    calendar.properties = [ContentLine("VERSION", "2.0"), ContentLine("PRODID", PRODID)]
    times = (("DTSTAMP", int(now)), ("DTSTART", since), ("DTEND", until))
    inner.properties = [ContentLine(name, utc_text(at)) for name, at in times] + free_busy_lines(busy)
    calendar.components = [inner]
    return write_component(calendar)


def is_transparent(collection: CollectionResource) -> bool:
    """Whether a calendar takes no time (RFC 6638 §9.1)."""
    return b"transparent" in collection.properties.get(c("schedule-calendar-transp"), b"")


def busy_in(exchange: Exchange, place: CollectionResource, since: int, until: int) -> list[Busy]:
    """What the objects of a calendar take of a range. Runs on a thread."""
    settings = exchange.settings.dav
    floating = floating_zone(None, place)
    rows = [
        row
        for row in place.objects.objects(place.record.id, since - DAY, until + DAY)
        if row.component in ("VEVENT", "VFREEBUSY")
    ]
    found: list[Busy] = []
    for batch in portions(rows):
        for octets in place.objects.read([row.id for row in batch]).values():
            try:
                one = read_calendar_object(octets, content_bounds(settings))
                found += busy_periods(one, Zones(one.calendar, floating), since, until, expansion_bounds(settings))
            except (ContentError, RecurrenceLimitError):
                continue  # what cannot be told does not make anybody busy
        found = merged(found)
        if len(found) > settings.results:
            raise DavError(507, "There are more busy times than an answer may have")
    return found
