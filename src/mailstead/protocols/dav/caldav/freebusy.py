"""Busy times: what of a calendar takes time (RFC 4791 §7.10), and VFREEBUSY that tells it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences
from mailstead.formats.icalendar.selecting import write_component
from mailstead.formats.icalendar.values import periods_of, wall_of
from mailstead.formats.icalendar.zones import Zones

_TYPES = ("BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE")
PRODUCT = "-//Mailstead//Mailstead//EN"


class Busy(msgspec.Struct, frozen=True, order=True):
    """A stretch of time in seconds since 1970 UTC that is not free."""

    start: int
    end: int
    type: str = "BUSY"


def busy_of(found: CalendarObject, zones: Zones, since: int, until: int, bounds: ExpansionBounds) -> list[Busy]:
    """What an object takes of a range. Raises ContentError, RecurrenceLimitError."""
    if found.kind == "VFREEBUSY":
        return [one for component in found.components for one in _told(component, zones, since, until, bounds)]
    if found.kind != "VEVENT":
        return []
    result = []
    for one in occurrences(found, zones, since, until, bounds):
        status = one.component.value("STATUS").upper()
        if status == "CANCELLED" or one.component.value("TRANSP").upper() == "TRANSPARENT" or one.start == one.end:
            continue
        kind = "BUSY-TENTATIVE" if status == "TENTATIVE" else "BUSY"
        result.append(Busy(max(one.start, since), min(one.end, until), kind))
    return result


def _told(component: Component, zones: Zones, since: int, until: int, bounds: ExpansionBounds) -> Iterable[Busy]:
    for line in component.all("FREEBUSY"):
        kind = (line.parameter("FBTYPE") or "BUSY").upper()
        if kind == "FREE":
            continue
        for period in periods_of(line, bounds.dates):
            start = zones.instant(period.start)
            end = zones.instant(period.end) if period.end is not None else start + (period.seconds or 0)
            if start < until and end > since:
                yield Busy(max(start, since), min(end, until), kind if kind in _TYPES else "BUSY")


def merged(found: Iterable[Busy]) -> list[Busy]:
    """The stretches of each type in order, those that touch made one."""
    result: list[Busy] = []
    last: dict[str, Busy] = {}
    for one in sorted(found):
        before = last.get(one.type)
        if before is not None and one.start <= before.end:
            last[one.type] = Busy(before.start, max(before.end, one.end), one.type)
            continue
        if before is not None:
            result.append(before)
        last[one.type] = one
    return sorted([*result, *last.values()])


def free_busy(
    busy: Sequence[Busy], since: int, until: int, now: float, extra: Iterable[ContentLine] = (), method: str = ""
) -> bytes:
    """A calendar with one VFREEBUSY; `extra` are more of its properties (UID, ORGANIZER, ATTENDEE)."""
    calendar, inner = Component("VCALENDAR"), Component("VFREEBUSY")
    calendar.properties = [ContentLine("VERSION", "2.0"), ContentLine("PRODID", PRODUCT)]
    if method:
        calendar.properties.append(ContentLine("METHOD", method))
    inner.properties = [
        *extra,
        ContentLine("DTSTAMP", utc_text(wall_of(int(now)))),
        ContentLine("DTSTART", utc_text(wall_of(since))),
        ContentLine("DTEND", utc_text(wall_of(until))),
    ]
    for one in busy:
        value = f"{utc_text(wall_of(one.start))}/{utc_text(wall_of(one.end))}"
        inner.properties.append(ContentLine("FREEBUSY", value, (("FBTYPE", (one.type,)),)))
    calendar.components = [inner]
    return write_component(calendar)


def utc_text(wall: datetime) -> str:
    """A time in UTC as iCalendar writes it."""
    return f"{wall.year:04}{wall:%m%dT%H%M%S}Z"
