"""An event with its changed instances, as scheduling looks at it."""

from collections.abc import Iterator
from datetime import datetime

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree, read_tree
from mailstead.formats.icalendar.calendar_object import ENTRIES
from mailstead.formats.icalendar.values import Form, Moment, moment_of, periods_of, seconds_of, wall_of
from mailstead.formats.icalendar.zones import Zones
from mailstead.mail.scheduling.calendar_user import organizer_of

_MOST_DATES = 10_000


class Series:
    """One calendar: `master` and its `overrides` by the instant that RECURRENCE-ID names; all can be changed."""

    def __init__(self, calendar: Tree) -> None:
        """Raises ContentError when a RECURRENCE-ID is no time."""
        if calendar.name != "VCALENDAR":
            raise ContentError("exactly one VCALENDAR is wanted")
        self.calendar = calendar
        self.zones = Zones(calendar.component())
        self.master: Tree | None = None
        self.overrides: dict[int, Tree] = {}
        for component in calendar.components:
            if component.name not in ENTRIES:
                continue
            named = component.first("RECURRENCE-ID")
            if named is not None:
                self.overrides[self.instant(named)] = component
            elif self.master is None:
                self.master = component
            else:
                raise ContentError("a calendar object has one component without RECURRENCE-ID")

    @property
    def components(self) -> Iterator[Tree]:
        """The master, then the changed instances."""
        if self.master is not None:
            yield self.master
        yield from self.overrides.values()

    def get(self, key: int | None) -> Tree | None:
        """The master for None, else the changed instance of that time."""
        return self.master if key is None else self.overrides.get(key)

    @property
    def first(self) -> Tree:
        """Any component. Raises ContentError when there is none."""
        for one in self.components:
            return one
        raise ContentError("there is nothing to be scheduled")

    @property
    def uid(self) -> str:
        """UID of the first component."""
        return self.first.text("UID")

    @property
    def organizer(self) -> str:
        """The bare address of the organizer; empty without one, or when the components do not agree on it."""
        found = {organizer_of(one) for one in self.components}
        return found.pop() if len(found) == 1 else ""

    def instant(self, line: ContentLine) -> int:
        """When DTSTART or its like is. Raises ContentError."""
        return self.zones.instant(moment_of(line))

    def moments(self, component: Tree, name: str) -> dict[int, Moment]:
        """The times that all EXDATE or RDATE lines name. Raises ContentError."""
        found: dict[int, Moment] = {}
        for line in component.all(name):
            for period in periods_of(line, _MOST_DATES):
                found[self.zones.instant(period.start)] = period.start
        return found

    def add(self, component: Tree) -> None:
        """Add a component; one of the same instance is replaced. Raises ContentError."""
        named = component.first("RECURRENCE-ID")
        key = None if named is None else self.instant(named)
        before = self.get(key)
        if before is not None:
            self.calendar.items[self.calendar.items.index(before)] = component
        else:
            self.calendar.items.append(component)
        if key is None:
            self.master = component
        else:
            self.overrides[key] = component

    def drop(self, key: int | None) -> None:
        """Take a component away, if it is there."""
        before = self.get(key)
        if before is None:
            return
        self.calendar.drop(before)
        if key is None:
            self.master = None
        else:
            del self.overrides[key]

    def copy(self) -> "Series":
        """Another one, to be changed on its own."""
        return Series(self.calendar.copy())


def read_series(data: bytes, bounds: ContentBounds) -> Series:
    """The calendar of `data`. Raises ContentError."""
    return Series(read_tree(data, bounds))


def exclude(component: Tree, named: ContentLine) -> None:
    """Leave out the instance that a RECURRENCE-ID line names."""
    kept = tuple(one for one in named.parameters if one[0] in ("TZID", "VALUE"))
    line = ContentLine("EXDATE", named.value, kept)
    if line not in component.all("EXDATE"):
        component.add(line)


def instance_of(series: Series, key: int) -> Tree | None:
    """A new component for the instance at `key`, as the master describes it; None without a master.

    Raises ContentError.
    """
    master = series.master
    start = None if master is None else master.first("DTSTART")
    if master is None or start is None:
        return None
    first = moment_of(start)
    wall = _wall(series.zones, first, key)
    kept = tuple(one for one in start.parameters if one[0] in ("TZID", "VALUE"))
    made = master.copy()
    made.set(ContentLine("DTSTART", written(wall, first.form), kept))
    for name in ("DTEND", "DUE"):
        end = master.first(name)
        if end is not None:
            last = moment_of(end)
            moved = wall + (last.wall - first.wall)
            made.set(ContentLine(name, written(moved, last.form), end.parameters))
    made.remove("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
    made.add(ContentLine("RECURRENCE-ID", written(wall, first.form), kept))
    return made


def _wall(zones: Zones, like: Moment, instant: int) -> datetime:
    """The wall clock at `instant` where `like` is."""
    wall = wall_of(instant)
    for _ in range(2):  # the second time with the offset of that very day
        wall = wall_of(instant + seconds_of(wall) - zones.instant(like, wall))
    return wall


def written(wall: datetime, form: Form) -> str:
    """DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5)."""
    day = f"{wall.year:04d}{wall.month:02d}{wall.day:02d}"
    return day if form == "date" else f"{day}T{wall:%H%M%S}{'Z' if form == 'utc' else ''}"
