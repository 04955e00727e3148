"""When somebody is busy (RFC 4791 §7.10, RFC 5545 §3.6.4), from the events of a calendar."""

from collections.abc import Iterable

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences, overlaps
from mailstead.formats.icalendar.values import DAY, Period, periods_of, wall_of
from mailstead.formats.icalendar.zones import Zones

# FBTYPE in the order in which one hides another (RFC 5545 §3.2.9)
ORDER = ("BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE")


class Busy(msgspec.Struct, frozen=True, order=True):
    """A stretch of time in seconds since 1970 UTC; `kind` is the FBTYPE."""

    start: int
    end: int
    kind: str


def busy_periods(
    found: CalendarObject,
    zones: Zones,
    since: int,
    until: int,
    bounds: ExpansionBounds,
    me: frozenset[str] = frozenset(),
) -> list[Busy]:
    """What an object keeps its owner busy with from `since` to `until`, cut to that range.

    What is transparent or cancelled is not, nor what one of the mail addresses `me` (in lower case) declined; what was
    not answered, or is tentative, may be. Raises ContentError, RecurrenceLimitError.
    """
    if found.kind == "VFREEBUSY":
        return [one for component in found.components for one in _told(component, zones, since, until, bounds)]
    if found.kind != "VEVENT":
        return []
    periods = []
    for one in occurrences(found, zones, since, until, bounds):
        kind = _kind(one.component, me)
        start, end = max(one.start, since), min(one.end, until)
        if kind and start < end:
            periods.append(Busy(start, end, kind))
    return periods


def _kind(component: Component, me: frozenset[str]) -> str:
    """FBTYPE of an event; empty for one that keeps nobody busy."""
    status = component.value("STATUS").upper()
    if component.value("TRANSP").upper() == "TRANSPARENT" or status == "CANCELLED":
        return ""
    for line in component.all("ATTENDEE") if me else ():
        if line.value.strip().lower().removeprefix("mailto:") in me:
            answer = (line.parameter("PARTSTAT") or "NEEDS-ACTION").upper()
            if answer in ("DECLINED", "DELEGATED"):
                return ""
            if answer in ("TENTATIVE", "NEEDS-ACTION"):
                return "BUSY-TENTATIVE"
    return "BUSY-TENTATIVE" if status == "TENTATIVE" else "BUSY"


def _told(component: Component, zones: Zones, since: int, until: int, bounds: ExpansionBounds) -> Iterable[Busy]:
    for line in component.all("FREEBUSY"):
        kind = (line.parameter("FBTYPE") or "BUSY").upper()
        if kind == "FREE":
            continue
        for period in periods_of(line, bounds.dates):
            start, end = busy_span(period, zones)
            if start < end and overlaps(start, end, since, until):
                yield Busy(max(start, since), min(end, until), kind if kind in ORDER else "BUSY")


def busy_span(period: Period, zones: Zones) -> tuple[int, int]:
    """Start and end of a period. Raises ContentError."""
    start = zones.instant(period.start)
    if period.seconds is not None:
        return start, start + min(period.seconds, 10_000 * DAY)
    return start, start if period.end is None else zones.instant(period.end)


def merged(periods: Iterable[Busy]) -> list[Busy]:
    """The same time once, in order: what touches becomes one, and the surer kind hides the other."""
    taken: list[Busy] = []
    for kind in ORDER:
        free: list[Busy] = []
        for one in sorted(one for one in periods if one.kind == kind):
            if free and one.start <= free[-1].end:
                free[-1] = Busy(free[-1].start, max(free[-1].end, one.end), kind)
            else:
                free.append(one)
        taken = sorted([*taken, *_beside(free, taken)])
    return taken


def _beside(periods: list[Busy], taken: list[Busy]) -> Iterable[Busy]:
    """What of `periods` is not in `taken`; both are in order, and of each nothing overlaps."""
    place = 0
    for one in periods:
        start = one.start
        while place < len(taken) and taken[place].end <= start:
            place += 1
        at = place
        while at < len(taken) and taken[at].start < one.end:
            if taken[at].start > start:
                yield Busy(start, taken[at].start, one.kind)
            start = max(start, taken[at].end)
            at += 1
        if start < one.end:
            yield Busy(start, one.end, one.kind)


def free_busy_lines(periods: Iterable[Busy]) -> list[ContentLine]:
    """FREEBUSY lines in UTC (RFC 5545 §3.8.2.6), one for each kind."""
    lines = []
    held = list(periods)
    for kind in ORDER:
        values = [
            f"{wall_of(one.start):%Y%m%dT%H%M%SZ}/{wall_of(one.end):%Y%m%dT%H%M%SZ}" for one in held if one.kind == kind
        ]
        if values:
            parameters = () if kind == "BUSY" else (("FBTYPE", (kind,)),)
            lines.append(ContentLine("FREEBUSY", ",".join(values), parameters))
    return lines
