"""When somebody can be asked at all (VAVAILABILITY, RFC 7953): what of a range is not available."""

from collections.abc import Iterable, Iterator

from mailstead.formats.content_lines.component import Component, ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.free_busy import ORDER, Busy, merged
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences
from mailstead.formats.icalendar.values import DAY, moment_of, parse_duration
from mailstead.formats.icalendar.zones import Zones

_TYPES = {"BUSY": "BUSY", "BUSY-TENTATIVE": "BUSY-TENTATIVE"}  # anything else is BUSY-UNAVAILABLE (RFC 7953 §3.2)
_LOWEST = 10


def read_availability(data: bytes, bounds: ContentBounds) -> Component:
    """A calendar that holds VAVAILABILITY and zones, nothing else. Raises ContentError."""
    roots = read_components(data, bounds)
    if len(roots) != 1 or roots[0].name != "VCALENDAR":
        raise ContentError("exactly one VCALENDAR is wanted")
    names = [one.name for one in roots[0].components if one.name != "VTIMEZONE"]
    if not names or set(names) != {"VAVAILABILITY"}:
        raise ContentError("only VAVAILABILITY and VTIMEZONE are wanted")
    return roots[0]


def unavailable(calendar: Component, since: int, until: int, bounds: ExpansionBounds) -> list[Busy]:
    """What of `since` to `until` is not available, by all VAVAILABILITY of a calendar together (RFC 7953 §4).

    Raises ContentError, RecurrenceLimitError.
    """
    zones = Zones(calendar)
    found: list[Busy] = []
    for component in sorted(calendar.children("VAVAILABILITY"), key=_rank):
        start, end = _range(component, zones, since, until)
        if start < end:
            free = merged(_free(component, calendar, zones, start, end, bounds))
            taken = _without([Busy(start, end, _type(component))], free)
            found = sorted([*_without(found, [Busy(start, end, "")]), *taken])
    return found


def _rank(component: Component) -> tuple[int, int]:
    """The lowest priority first, then the weakest type: what comes later hides what was before."""
    text = component.value("PRIORITY")
    number = int(text) if text.isascii() and text.isdigit() and len(text) == 1 else 0
    return -(number or _LOWEST), -ORDER.index(_type(component))


def _type(component: Component) -> str:
    return _TYPES.get(component.value("BUSYTYPE").upper(), "BUSY-UNAVAILABLE")


def _range(component: Component, zones: Zones, since: int, until: int) -> tuple[int, int]:
    """What of the range a VAVAILABILITY is about."""
    start, end = component.first("DTSTART"), component.first("DTEND")
    begin = since if start is None else zones.instant(moment_of(start))
    last = until if end is None else zones.instant(moment_of(end))
    duration = component.first("DURATION")
    if end is None and start is not None and duration is not None:
        length = parse_duration(duration.value)
        last = begin + length.days * DAY + length.seconds
    return max(begin, since), min(last, until)


def _free(
    component: Component, calendar: Component, zones: Zones, since: int, until: int, bounds: ExpansionBounds
) -> Iterator[Busy]:
    by_uid: dict[str, list[Component]] = {}
    for one in component.children("AVAILABLE"):
        by_uid.setdefault(one.value("UID"), []).append(one)
    for uid, parts in by_uid.items():
        masters = [one for one in parts if one.first("RECURRENCE-ID") is None]
        overrides = tuple(one for one in parts if one.first("RECURRENCE-ID") is not None)
        for master in (*masters,) or (None,):
            series = CalendarObject("VEVENT", uid, calendar, master, overrides)
            for instance in occurrences(series, zones, since, until, bounds):
                if instance.start < instance.end:
                    yield Busy(max(instance.start, since), min(instance.end, until), "BUSY")


def _without(periods: Iterable[Busy], taken: list[Busy]) -> list[Busy]:
    """What of `periods` is not in `taken`, which is in order and does not overlap."""
    left: list[Busy] = []
    for one in periods:
        start = one.start
        for other in taken:
            if other.end <= start:
                continue
            if other.start >= one.end:
                break
            if other.start > start:
                left.append(Busy(start, other.start, one.kind))
            start = other.end
        if start < one.end:
            left.append(Busy(start, one.end, one.kind))
    return left
