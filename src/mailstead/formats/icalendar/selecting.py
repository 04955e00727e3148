"""Parts of calendar objects as queries ask for them: instances, changed instances, components (RFC 4791 §9.6).

What comes out is written anew; who asks for none of this gets the octets that were stored.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.write import fold, write_line
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.free_busy import busy_span
from mailstead.formats.icalendar.occurrences import ExpansionBounds, Occurrence, occurrences, overlaps
from mailstead.formats.icalendar.values import Moment, moment_of, periods_of, wall_of
from mailstead.formats.icalendar.zones import Zones

_RECURRENCE = frozenset(("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"))
_TIMES = frozenset(("DTSTART", "DTEND", "DUE"))


class Part(msgspec.Struct, frozen=True):
    """A component that is wanted: all or some of its properties (False: without the value), and parts within it."""

    name: str
    all_properties: bool = True
    properties: tuple[tuple[str, bool], ...] = ()
    all_components: bool = True
    parts: "tuple[Part, ...]" = ()


def write_component(component: Component) -> bytes:
    """The component as octets."""
    name = component.name.encode("utf-8", "replace")
    inner = [write_line(line) for line in component.properties]
    inner += [write_component(one) for one in component.components]
    return b"".join((fold(b"BEGIN:" + name), *inner, fold(b"END:" + name)))


def with_components(calendar: Component, components: Sequence[Component]) -> Component:
    """The same calendar with other components."""
    made = Component(calendar.name)
    made.properties = list(calendar.properties)
    made.components = list(components)
    return made


def expanded(found: CalendarObject, zones: Zones, since: int, until: int, bounds: ExpansionBounds) -> Component:
    """Each instance in a range as a component of its own, in UTC, without rules and zones (RFC 4791 §9.6.5).

    Raises ContentError, RecurrenceLimitError.
    """
    recurs = found.master is None or any(found.master.first(name) for name in ("RRULE", "RDATE")) or found.overrides
    instances = [
        _instance(one, found, zones, recurs=bool(recurs)) for one in occurrences(found, zones, since, until, bounds)
    ]
    return with_components(found.calendar, instances)


def _instance(one: Occurrence, found: CalendarObject, zones: Zones, *, recurs: bool) -> Component:
    made = Component(one.component.name)
    made.components = list(one.component.components)
    start = one.component.first("DTSTART")
    for line in one.component.properties:
        if line.name in _RECURRENCE:
            continue
        if line.name in _TIMES:
            made.properties.append(_moved(line, one.start if line.name == "DTSTART" else one.end, zones))
        elif line.name == "DURATION" or line.parameter("TZID") is None:
            made.properties.append(line)
        else:
            made.properties.append(_moved(line, zones.instant(moment_of(line)), zones))
    named = one.component.first("RECURRENCE-ID")
    model = named or (found.master.first("DTSTART") if found.master is not None else start) or start
    if recurs and model is not None:
        made.properties.append(_moved(msgspec.structs.replace(model, name="RECURRENCE-ID"), one.original, zones))
    return made


def _moved(line: ContentLine, instant: int, zones: Zones) -> ContentLine:
    """A time of an instance: dates and floating times stay such, others are told in UTC."""
    moment = moment_of(line)
    kept = tuple((name, values) for name, values in line.parameters if name not in ("TZID", "RANGE"))
    if moment.form == "utc" or (moment.form == "local" and moment.zone):
        return ContentLine(line.name, _written(wall_of(instant), "utc"), kept)
    return ContentLine(line.name, _written(zones.wall(instant, moment), moment.form), kept)


def _written(wall: datetime, form: str) -> str:
    text = f"{wall.year:04}{wall.month:02}{wall.day:02}"
    if form == "date":
        return text
    return f"{text}T{wall.hour:02}{wall.minute:02}{wall.second:02}{'Z' if form == 'utc' else ''}"


def limited(found: CalendarObject, zones: Zones, since: int, until: int) -> Component:
    """The object with those changed instances only that are, or were, in a range (RFC 4791 §9.6.6).

    Raises ContentError.
    """
    kept = []
    for component in found.calendar.components:
        named = component.first("RECURRENCE-ID")
        if named is None or _touches(component, moment_of(named), zones, since, until):
            kept.append(component)
    return with_components(found.calendar, kept)


def with_busy_of(calendar: Component, zones: Zones, since: int, until: int, dates: int) -> Component:
    """A calendar with those FREEBUSY values only that are in a range (RFC 4791 §9.6.7), at most `dates` on a line.

    Raises ContentError.
    """

    def kept(line: ContentLine) -> ContentLine | None:
        if line.name != "FREEBUSY":
            return line
        texts = [text for text in line.value.split(",") if text.strip()]
        periods = zip(periods_of(line, dates), texts, strict=True)
        texts = [text for period, text in periods if overlaps(*busy_span(period, zones), since, until)]
        return ContentLine(line.name, ",".join(texts), line.parameters, line.group) if texts else None

    components = []
    for component in calendar.components:
        if component.name == "VFREEBUSY":
            made = Component(component.name)
            made.components = component.components
            made.properties = [line for one in component.properties if (line := kept(one)) is not None]
            component = made
        components.append(component)
    return with_components(calendar, components)


def _touches(component: Component, original: Moment, zones: Zones, since: int, until: int) -> bool:
    if since <= zones.instant(original) < until or named_for_future(component):
        return True
    start, end = component.first("DTSTART"), component.first("DTEND")
    if start is None:
        return True
    begin = zones.instant(moment_of(start))
    return overlaps(begin, zones.instant(moment_of(end)) if end is not None else begin, since, until)


def named_for_future(component: Component) -> bool:
    """Whether a change is of an instance and all that follow."""
    line = component.first("RECURRENCE-ID")
    return line is not None and (line.parameter("RANGE") or "").upper() == "THISANDFUTURE"


def selected(component: Component, part: Part) -> Component:
    """What a part says of a component (RFC 4791 §9.6.1 to §9.6.4)."""
    made = Component(component.name)
    if part.all_properties:
        made.properties = list(component.properties)
    else:
        wanted = dict(part.properties)
        for line in component.properties:
            if line.name in wanted:
                made.properties.append(line if wanted[line.name] else msgspec.structs.replace(line, value=""))
    if part.all_components:
        made.components = list(component.components)
    else:
        parts = {one.name: one for one in part.parts}
        made.components = [selected(one, parts[one.name]) for one in component.components if one.name in parts]
    return made
