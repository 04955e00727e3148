"""Whether a calendar object meets a filter (RFC 4791 §9.7, §9.9)."""

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences, overlaps
from mailstead.formats.icalendar.values import DAY, moment_of, parse_duration, periods_of
from mailstead.formats.icalendar.zones import Zones
from mailstead.protocols.dav.caldav.filter import ComponentFilter, ParameterFilter, PropertyFilter, Range

_REPEATS = 100  # of an alarm, as far as they are looked at
_FAR = 400 * DAY  # how long before or after its event an alarm may ring


class Matcher:
    """One object beside one filter. Raises ContentError and RecurrenceLimitError for what cannot be told."""

    def __init__(self, found: CalendarObject, zones: Zones, bounds: ExpansionBounds) -> None:
        self._found = found
        self._zones = zones
        self._bounds = bounds

    def matches(self, asked: ComponentFilter) -> bool:
        """Whether the calendar meets the filter of VCALENDAR."""
        if asked.is_absent:
            return False
        return self._meets(self._found.calendar, asked)

    def _meets(self, component: Component, asked: ComponentFilter) -> bool:
        return all(_has(component, one, self._zones) for one in asked.properties) and all(
            self._has_component(component, one) for one in asked.components
        )

    def _has_component(self, parent: Component, asked: ComponentFilter) -> bool:
        inner = parent.children(asked.name)
        if asked.is_absent:
            return not inner
        return any(
            self._meets(one, asked) and (asked.range is None or self._is_within(parent, one, asked.range))
            for one in inner
        )

    def _is_within(self, parent: Component, component: Component, span: Range) -> bool:
        match component.name:
            case "VALARM":
                return self._rings(parent, component, span)
            case "VFREEBUSY":
                return self._is_busy(component, span)
            case "VTODO" if component.first("DTSTART") is None:
                return self._is_due(component, span)
            case "VTODO" if component.first("RRULE") is None and component.first("RDATE") is None:
                return self._is_task_within(component, span)
        return bool(self._instances(component, *span))

    def _instances(self, component: Component, since: int, until: int) -> list[tuple[int, int]]:
        """Start and end of what takes place in a range by that component."""
        return [
            (one.start, one.end)
            for one in occurrences(self._found, self._zones, since, until, self._bounds)
            if one.component is component
        ]

    def _instant(self, component: Component, name: str) -> int | None:
        line = component.first(name)
        return None if line is None else self._zones.instant(moment_of(line))

    def _is_task_within(self, task: Component, span: Range) -> bool:
        """A task with a start, by the table of RFC 4791 §9.9."""
        since, until = span
        start, due = self._instant(task, "DTSTART"), self._instant(task, "DUE")
        duration = task.first("DURATION")
        assert start is not None
        if due is not None:
            return (since < due or since <= start) and (until > start or until >= due)
        if duration is not None:
            length = parse_duration(duration.value)
            end = start + length.days * DAY + length.seconds
            return since <= end and (until > start or until >= end)
        return since <= start < until

    def _is_due(self, task: Component, span: Range) -> bool:
        """A task without a start, by the same table."""
        since, until = span
        due = self._instant(task, "DUE")
        if due is not None:
            return since < due <= until
        completed, created = self._instant(task, "COMPLETED"), self._instant(task, "CREATED")
        if completed is not None and created is not None:
            return (since <= created or since <= completed) and (until >= created or until >= completed)
        if completed is not None:
            return since <= completed <= until
        return created is None or until > created

    def _is_busy(self, component: Component, span: Range) -> bool:
        since, until = span
        start, end = self._instant(component, "DTSTART"), self._instant(component, "DTEND")
        if start is not None and end is not None:
            return since <= end and until > start
        for line in component.all("FREEBUSY"):
            for period in periods_of(line, self._bounds.dates):
                begin = self._zones.instant(period.start)
                if period.end is not None:
                    finish = self._zones.instant(period.end)
                else:
                    finish = begin + (period.seconds or 0)
                if overlaps(begin, finish, since, until):
                    return True
        return False

    def _rings(self, parent: Component, alarm: Component, span: Range) -> bool:
        """Whether an alarm is triggered in a range, by an instance of its event or task or by a time of its own."""
        since, until = span
        trigger = alarm.first("TRIGGER")
        if trigger is None:
            return False
        rings = self._repetitions(alarm)
        if (trigger.parameter("VALUE") or "").upper() == "DATE-TIME":
            at = self._zones.instant(moment_of(trigger))
            return any(since <= at + later < until for later in rings)
        offset = parse_duration(trigger.value)
        before = offset.days * DAY + offset.seconds
        at_end = (trigger.parameter("RELATED") or "START").upper() == "END"
        if abs(before) > _FAR:
            return False
        furthest = max(rings)
        instances = self._instances(parent, since - before - furthest - DAY, until - before + DAY)
        if parent.name == "VTODO" and not instances:
            due = self._instant(parent, "DUE")
            instances = [(due, due)] if due is not None else []
        return any(
            since <= (end if at_end else start) + before + later < until for start, end in instances for later in rings
        )

    def _repetitions(self, alarm: Component) -> list[int]:
        count, every = alarm.value("REPEAT"), alarm.first("DURATION")
        if every is None or not (count.isascii() and count.isdigit()) or len(count) > 9:
            return [0]
        length = parse_duration(every.value)
        step = length.days * DAY + length.seconds
        return [step * number for number in range(min(int(count), _REPEATS) + 1)]


def _has(component: Component, asked: PropertyFilter, zones: Zones) -> bool:
    lines = component.all(asked.name)
    if asked.is_absent:
        return not lines
    return any(_line_meets(line, asked, zones) for line in lines)


def _line_meets(line: ContentLine, asked: PropertyFilter, zones: Zones) -> bool:
    if asked.text is not None and not asked.text.matches([line.text]):
        return False
    if asked.range is not None and not _is_time_within(line, asked.range, zones):
        return False
    return all(_parameter_meets(line, one) for one in asked.parameters)


def _is_time_within(line: ContentLine, span: Range, zones: Zones) -> bool:
    since, until = span
    try:
        periods = periods_of(line, 1000)
    except ContentError:
        return False
    for period in periods:
        begin = zones.instant(period.start)
        if period.start.is_date:
            end = begin + DAY
        elif period.end is not None:
            end = zones.instant(period.end)
        else:
            end = begin + (period.seconds or 0)
        if overlaps(begin, end, since, until):
            return True
    return False


def _parameter_meets(line: ContentLine, asked: ParameterFilter) -> bool:
    values = line.parameter_values(asked.name)
    is_there = line.parameter(asked.name) is not None
    if asked.is_absent:
        return not is_there
    return is_there and (asked.text is None or asked.text.matches(values))
