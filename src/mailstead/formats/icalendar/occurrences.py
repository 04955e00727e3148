"""When an event or journal takes place: its instances within a range, and the range that holds all of them.

RFC 5545 §3.8.5 (EXDATE, RDATE, RRULE), RFC 4791 §9.9. An instance changed by RECURRENCE-ID takes the place of its
original; RANGE=THISANDFUTURE is read as the change of that one instance.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import CalendarObject
from mailstead.formats.icalendar.recurrence import Budget, starts
from mailstead.formats.icalendar.rule import Rule, parse_rule
from mailstead.formats.icalendar.values import DAY, Moment, Period, moment_of, parse_duration, periods_of, wall_of
from mailstead.formats.icalendar.zones import Zones

_SLACK = timedelta(days=2)  # more than any zone is from UTC


class ExpansionBounds(msgspec.Struct, frozen=True):
    """`steps` bound the work (some 2 million a second), `dates` each list of RDATE or EXDATE lines together."""

    steps: int = 200_000
    dates: int = 10_000


class Occurrence(msgspec.Struct, frozen=True, order=True):
    """One instance in seconds since 1970 UTC; `original` is the start that names it, `component` describes it."""

    start: int
    end: int
    original: int
    component: Component = msgspec.field()


class Extent(msgspec.Struct, frozen=True):
    """From the first start to the last end; None: without end, or costlier to tell than allowed."""

    start: int
    end: int | None


def overlaps(start: int, end: int, since: int, until: int) -> bool:
    """Whether an event is within a range (RFC 4791 §9.9); one without length is where it starts."""
    if start == end:
        return since <= start < until
    return start < until and end > since


def occurrences(
    found: CalendarObject, zones: Zones, since: int, until: int, bounds: ExpansionBounds
) -> list[Occurrence]:
    """The instances within `since` to `until` in order. Raises ContentError, RecurrenceLimitError."""
    result = []
    changed = set()
    for component in found.overrides:
        named = component.first("RECURRENCE-ID")
        start = component.first("DTSTART")
        if named is None:
            continue
        original = zones.instant(moment_of(named))
        changed.add(original)
        if start is not None:
            moment = moment_of(start)
            begin = zones.instant(moment)
            end = begin + _length(component, moment, zones)
            if overlaps(begin, end, since, until):
                result.append(Occurrence(begin, end, original, component))
    if found.master is not None:
        for one in _of_master(found.master, zones, since, until, bounds):
            if one.original not in changed:
                result.append(one)
    result.sort(key=lambda one: (one.start, one.end, one.original))
    return result


def extent(found: CalendarObject, zones: Zones) -> Extent | None:
    """A range that holds every instance, told without expanding rules; None when nothing has a start.

    Raises ContentError.
    """
    begins: list[int] = []
    ends: list[int | None] = []
    for component in found.components:
        line = component.first("DTSTART")
        if line is None:
            continue
        moment = moment_of(line)
        length = _length(component, moment, zones)
        spans = [Period(moment), *_dates(component, "RDATE", ExpansionBounds().dates)]
        for period in spans:
            begin = zones.instant(period.start)
            begins.append(begin)
            ends.append(begin + _period_length(period, length, zones))
        for rule in (parse_rule(one.value) for one in component.all("RRULE")):
            if rule.until is None:
                last = _last(rule, moment)
                ends.append(None if last is None else zones.instant(moment, last) + length + 2 * DAY)
            else:
                # a day more: UNTIL may be a date, or in another zone than the start
                ends.append(zones.instant(rule.until) + length + 2 * DAY)
    if not begins:
        return None
    known = [end for end in ends if end is not None]
    return Extent(min(begins), max(known) if len(known) == len(ends) else None)


def _last(rule: Rule, first: Moment) -> datetime | None:
    """A wall clock time that no start of a counted rule comes after, where that is told without following it."""
    limits = rule.month_days or rule.year_days or rule.weeks or rule.months or rule.positions
    days = {"DAILY": 1, "WEEKLY": 7}.get(rule.frequency, 0)
    # Each week has one of the weekdays named, while days that are counted may pass them by
    if rule.count is None or limits or not days or (rule.days and rule.frequency == "DAILY"):
        return None
    try:
        return first.wall + timedelta(days=days * rule.interval * rule.count)
    except OverflowError:
        return None


def _of_master(
    component: Component, zones: Zones, since: int, until: int, bounds: ExpansionBounds
) -> Iterator[Occurrence]:
    line = component.first("DTSTART")
    if line is None:
        return
    moment = moment_of(line)
    length = _length(component, moment, zones)
    dates = _dates(component, "RDATE", bounds.dates)
    excluded, excluded_days = _exclusions(component, zones, bounds)
    seen: set[int] = set()
    budget = Budget(bounds.steps)
    begins: list[tuple[Moment, datetime, int]] = [(moment, moment.wall, length)]
    begins += [(one.start, one.start.wall, _period_length(one, length, zones)) for one in dates]
    for named, wall, seconds in begins:
        begin = zones.instant(named)
        if begin in seen or begin in excluded or (wall.toordinal() in excluded_days):
            continue
        seen.add(begin)
        if overlaps(begin, begin + seconds, since, until):
            yield Occurrence(begin, begin + seconds, begin, component)
    from_wall = _earlier(since - length)
    for rule in (parse_rule(one.value) for one in component.all("RRULE")):
        last = zones.instant(rule.until) if rule.until is not None and rule.until.form == "utc" else None
        for wall in starts(rule, moment.wall, from_wall, budget):
            begin = zones.instant(moment, wall)
            if begin >= until + 2 * DAY or (last is not None and begin > last):
                break
            if begin in seen or begin in excluded or wall.toordinal() in excluded_days:
                continue
            if overlaps(begin, begin + length, since, until):
                seen.add(begin)
                yield Occurrence(begin, begin + length, begin, component)


def _earlier(seconds: int) -> datetime:
    wall = wall_of(seconds)
    return wall - _SLACK if wall > datetime.min + _SLACK else datetime.min


def _dates(component: Component, name: str, most: int) -> list[Period]:
    found: list[Period] = []
    for line in component.all(name):
        found += periods_of(line, most)
        if len(found) > most:
            raise ContentError(f"there are more dates in {name} than allowed")
    return found


def _exclusions(component: Component, zones: Zones, bounds: ExpansionBounds) -> tuple[set[int], set[int]]:
    """Instants that EXDATE leaves out, and days: clients exclude an instance by its day alone, too."""
    instants, days = set(), set()
    for period in _dates(component, "EXDATE", bounds.dates):
        if period.start.is_date:
            days.add(period.start.wall.toordinal())
        else:
            instants.add(zones.instant(period.start))
    return instants, days


def _length(component: Component, start: Moment, zones: Zones) -> int:
    """Seconds from start to end: DTEND, of a task DUE, DURATION, else a day for a date and nothing for a time.

    RFC 5545 §3.6.1, §3.6.2.
    """
    end = component.first("DTEND") or component.first("DUE")
    if end is not None:
        return max(zones.instant(moment_of(end)) - zones.instant(start), 0)
    duration = component.first("DURATION")
    if duration is not None:
        length = parse_duration(duration.value)
        return max(length.days * DAY + length.seconds, 0)
    return DAY if start.is_date else 0


def _period_length(period: Period, length: int, zones: Zones) -> int:
    if period.seconds is not None:
        return max(period.seconds, 0)
    if period.end is not None:
        return max(zones.instant(period.end) - zones.instant(period.start), 0)
    return length
