"""What zones say: seconds that a wall clock is ahead of UTC (RFC 5545 §3.6.5).

A TZID that is a name of the IANA database is that zone, as every current client means it; any other is what the
object's own VTIMEZONE says. What neither knows floats, in the zone that the caller names.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.recurrence import Budget, RecurrenceLimitError, starts
from mailstead.formats.icalendar.rule import parse_rule
from mailstead.formats.icalendar.values import Moment, moment_of, parse_offset, periods_of, seconds_of, wall_of

Zone = Callable[[datetime], int]
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}\Z", re.ASCII)
_FROM_YEAR, _TO_YEAR = 1969, 2120
_STEPS, _MOST_DATES = 60_000, 1000


def utc(_: datetime) -> int:
    """UTC itself."""
    return 0


def named_zone(name: str) -> Zone | None:
    """A zone of the IANA database; None when there is none of that name."""
    if _NAME.match(name) is None:
        return None
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

    def offset(wall: datetime) -> int:
        # In a gap the offset before it holds, in an overlap the first of the two (RFC 5545 §3.3.5): fold is 0.
        ahead = wall.replace(tzinfo=zone).utcoffset()
        return 0 if ahead is None else int(ahead.total_seconds())

    return offset


class Zones:
    """The zones of one object."""

    def __init__(self, calendar: Component, floating: Zone = utc) -> None:
        self._floating = floating
        self._own = {one.value("TZID"): one for one in calendar.children("VTIMEZONE")}
        self._found: dict[str, Zone] = {"": floating}
        self._budget = Budget(_STEPS)  # for all zones together: an object may define any number of them

    def instant(self, moment: Moment, wall: datetime | None = None) -> int:
        """Seconds since 1970 UTC of a moment, or of another wall clock time in its zone. Raises ContentError."""
        at = moment.wall if wall is None else wall
        if moment.form == "utc":
            return seconds_of(at)
        return seconds_of(at) - self._zone(moment.zone)(at)

    def wall(self, instant: int, like: Moment) -> datetime:
        """What the clock shows at an instant where `like` is told. Raises ContentError."""
        if like.form == "utc":
            return wall_of(instant)
        zone = self._zone(like.zone)
        return wall_of(instant + zone(wall_of(instant + zone(wall_of(instant)))))

    def _zone(self, name: str) -> Zone:
        found = self._found.get(name)
        if found is None:
            found = named_zone(name.strip("/")) or self._defined(name) or self._floating
            self._found[name] = found
        return found

    def _defined(self, name: str) -> Zone | None:
        component = self._own.get(name)
        return None if component is None else _own_zone(component, self._budget)


def zone_of(component: Component) -> Zone | None:
    """What a VTIMEZONE means: the zone of its name, else what it says. Raises ContentError."""
    return named_zone(component.value("TZID").strip("/")) or _own_zone(component, Budget(_STEPS))


def _own_zone(component: Component, budget: Budget) -> Zone | None:
    """What a VTIMEZONE says from 1970 to 2120. Raises ContentError."""
    onsets: list[tuple[datetime, int, int]] = []
    for observance in component.components:
        start = observance.first("DTSTART")
        if observance.name not in ("STANDARD", "DAYLIGHT") or start is None:
            continue
        before, after = parse_offset(observance.value("TZOFFSETFROM")), parse_offset(observance.value("TZOFFSETTO"))
        for wall in _onsets(observance, moment_of(start).wall, before, budget):
            # Where the clock is put forward, the times that it leaps over keep the offset before (RFC 5545 §3.3.5)
            onsets.append((wall + timedelta(seconds=max(after - before, 0)), before, after))
    if not onsets:
        return None
    onsets.sort()
    walls = [onset[0] for onset in onsets]

    def offset(wall: datetime) -> int:
        place = bisect_right(walls, wall)
        return onsets[place - 1][2] if place else onsets[0][1]

    return offset


def _onsets(observance: Component, first: datetime, before: int, budget: Budget) -> list[datetime]:
    found = [first]
    for line in observance.all("RDATE"):
        found += [period.start.wall for period in periods_of(line, _MOST_DATES)]
    line_of_rule = observance.first("RRULE")
    if line_of_rule is None:
        return found
    rule = parse_rule(line_of_rule.value)
    last = seconds_of(rule.until.wall) if rule.until is not None and rule.until.form == "utc" else None
    since = datetime(_FROM_YEAR, 1, 1)
    try:
        for wall in starts(rule, first, since, budget):
            if wall.year > _TO_YEAR:
                break
            if last is not None and seconds_of(wall) - before > last:
                break
            found.append(wall)
    except RecurrenceLimitError:
        raise ContentError("a VTIMEZONE changes more often than allowed") from None
    return found
