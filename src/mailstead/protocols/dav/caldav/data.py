"""C:calendar-data: the octets that were stored, or the part of them that is asked for (RFC 4791 §9.6)."""

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.selecting import Part, expanded, limited, selected, with_busy_of, write_component
from mailstead.formats.icalendar.zones import Zone, Zones, utc
from mailstead.protocols.dav.caldav.time_range import time_range
from mailstead.protocols.dav.content import content_bounds, expansion_bounds
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import escape

FLOATING = "floating"
_WANTED, _INSTANCES = "calendar-data", "instances"


class Wanted(msgspec.Struct, frozen=True):
    """What C:calendar-data asks for; nothing: all of it as it is."""

    part: Part | None = None
    expand: tuple[int, int] | None = None
    limit: tuple[int, int] | None = None
    busy: tuple[int, int] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the stored octets are the answer."""
        return self.part is None and self.expand is None and self.limit is None and self.busy is None


def wanted_data(element: Element) -> Wanted:
    """What is asked for. Raises DavError."""
    media_type = element.attributes.get("content-type", "text/calendar")
    version = element.attributes.get("version", "2.0")
    if media_type.lower() != "text/calendar" or version != "2.0":
        raise DavError(403, "Calendar data is text/calendar of version 2.0", c("supported-calendar-data"))
    part = element.first(c("comp"))
    expand, limit = element.first(c("expand")), element.first(c("limit-recurrence-set"))
    busy = element.first(c("limit-freebusy-set"))
    return Wanted(
        _part(part) if part is not None else None,
        time_range(expand, needs_both=True) if expand is not None else None,
        time_range(limit, needs_both=True) if limit is not None else None,
        time_range(busy, needs_both=True) if busy is not None else None,
    )


def _part(element: Element) -> Part:
    properties = tuple(
        (one.attributes.get("name", "").upper(), one.attributes.get("novalue", "no") != "yes")
        for one in element.all(c("prop"))
    )
    return Part(
        element.attributes.get("name", "").upper(),
        element.first(c("allprop")) is not None,
        properties,
        element.first(c("allcomp")) is not None,
        tuple(_part(one) for one in element.all(c("comp"))),
    )


def calendar_data(view: View, octets: bytes) -> str | None:
    """The content of C:calendar-data; None where recurrence is too costly to be followed. Raises DavError."""
    wanted: Wanted | None = view.kept.get(_WANTED)
    if wanted is None:
        wanted = view.kept[_WANTED] = wanted_data(view.asked[c("calendar-data")])
    if wanted.is_whole:
        return escape(octets.decode("utf-8", "replace"))
    try:
        return escape(write_component(_made(view, octets, wanted)).decode("utf-8", "replace"))
    except (ContentError, RecurrenceLimitError):
        return None


def _made(view: View, octets: bytes, wanted: Wanted) -> Component:
    settings = view.exchange.settings.dav
    floating: Zone = view.kept.get(FLOATING, utc)
    found = read_calendar_object(octets, content_bounds(settings), is_message=True)
    zones = Zones(found.calendar, floating)
    calendar = found.calendar
    if wanted.expand is not None:
        calendar = expanded(found, zones, *wanted.expand, expansion_bounds(settings))
        count = view.kept.get(_INSTANCES, 0) + len(calendar.components)
        if count > settings.results:
            raise RecurrenceLimitError
        view.kept[_INSTANCES] = count
    elif wanted.limit is not None:
        calendar = limited(found, zones, *wanted.limit)
    if wanted.busy is not None:
        calendar = with_busy_of(calendar, zones, *wanted.busy, settings.recurrence_dates)
    return calendar if wanted.part is None else selected(calendar, wanted.part)
