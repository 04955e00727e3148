"""What takes place on which days, on the wall clock of who looks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.occurrences import Occurrence, occurrences
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.zones import Zones, named_zone, utc
from mailstead.interfaces.calendars.collections import Shown
from mailstead.mail.scheduling.storing import Limits

_BATCH = 200
_MOST = 5000
QUARTER = 15  # minutes that a row of a day stands for


class EventShown(msgspec.Struct, frozen=True):
    """One instance. `start` and `end` on the wall clock of who looks; `original` names the instance, in epoch seconds."""

    calendar: str
    hue: int
    name: str
    original: int
    start: datetime
    end: datetime
    is_all_day: bool
    is_recurring: bool
    title: str
    place: str
    answer: str
    is_cancelled: bool
    is_free: bool
    can_write: bool

    @property
    def last_day(self) -> date:
        """The last day that it touches."""
        if self.end <= self.start:
            return self.start.date()
        return (self.end - timedelta(microseconds=1)).date()

    @property
    def is_long(self) -> bool:
        """Whether it stands above the hours: a whole day, or a night in it."""
        return self.is_all_day or self.end - self.start >= timedelta(days=1)


def zone_named(name: str) -> ZoneInfo:
    """The zone; UTC when there is none of that name."""
    return ZoneInfo(name) if named_zone(name) is not None else ZoneInfo("UTC")


def events_between(
    calendar: Shown, first: date, last: date, zone: ZoneInfo, me: frozenset[str], limits: Limits
) -> list[EventShown]:
    """The instances that touch the days from `first` to `last`, in order. Called on a thread; cannot-be-reads are left out."""
    since = int(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp())
    after = last + timedelta(days=1)
    until = int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp())
    dav = calendar.mailbox.dav
    floating = named_zone(zone.key) or utc
    rows = [row for row in dav.objects(calendar.record.id, since - 86400, until + 86400) if row.component == "VEVENT"]
    found: list[EventShown] = []
    for start in range(0, len(rows), _BATCH):
        batch = {row.id: row for row in rows[start : start + _BATCH]}
        for identifier, data in dav.read(list(batch)).items():
            try:
                one = read_calendar_object(data, limits.content)
                instances = occurrences(one, Zones(one.calendar, floating), since, until, limits.expansion)
            except (ContentError, RecurrenceLimitError):
                continue
            is_recurring = one.master is not None and bool(one.master.all("RRULE") or one.master.all("RDATE"))
            for instance in instances:
                found.append(_shown(calendar, batch[identifier].name, instance, zone, me, is_recurring=is_recurring))
            if len(found) > _MOST:
                return sorted(found, key=order)[:_MOST]
    return sorted(found, key=order)


def order(event: EventShown) -> tuple[datetime, bool, datetime, str]:
    """As they are listed: whole days first, then by time."""
    return (event.start, not event.is_long, event.end, event.title)


def _shown(
    calendar: Shown, name: str, instance: Occurrence, zone: ZoneInfo, me: frozenset[str], *, is_recurring: bool
) -> EventShown:
    component = instance.component
    start, is_all_day = component.first("DTSTART"), False
    if start is not None:
        is_all_day = len(start.value.strip()) == 8
    return EventShown(
        calendar=calendar.key,
        hue=calendar.hue,
        name=name,
        original=instance.original,
        start=_local(instance.start, zone),
        end=_local(instance.end, zone),
        is_all_day=is_all_day,
        is_recurring=is_recurring,
        title=_text(component, "SUMMARY"),
        place=_text(component, "LOCATION"),
        answer=_answer(component, me),
        is_cancelled=component.value("STATUS").upper() == "CANCELLED",
        is_free=component.value("TRANSP").upper() == "TRANSPARENT",
        can_write=calendar.can_write,
    )


def _local(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, UTC).astimezone(zone).replace(tzinfo=None)


def _text(component: Component, name: str) -> str:
    line = component.first(name)
    return "" if line is None else " ".join(line.text.split())[:300]


def _answer(component: Component, me: frozenset[str]) -> str:
    for line in component.all("ATTENDEE"):
        if line.value.strip().lower().removeprefix("mailto:") in me:
            return (line.parameter("PARTSTAT") or "NEEDS-ACTION").upper()
    return ""


class Block(msgspec.Struct, frozen=True):
    """An event within one day: rows of 15 minutes from `row` on, `span` of them, in one of `lanes` beside each other."""

    event: EventShown
    row: int
    span: int
    lane: int
    lanes: int


def blocks_of(day: date, events: list[EventShown]) -> list[Block]:
    """The events of a day with hours, laid out so that none covers another."""
    rows = 24 * 60 // QUARTER
    begin = datetime(day.year, day.month, day.day)
    placed: list[tuple[int, int, EventShown]] = []
    for event in events:
        if event.is_long or not event.start.date() <= day <= event.last_day:
            continue
        start = max(int((event.start - begin).total_seconds() // 60 // QUARTER), 0)
        end = min(-(-int((event.end - begin).total_seconds()) // 60 // QUARTER), rows)
        placed.append((min(start, rows - 2), max(end, min(start, rows - 2) + 2), event))
    placed.sort(key=lambda one: (one[0], -one[1]))
    found: list[Block] = []
    group: list[tuple[int, int, EventShown, int]] = []
    ends: list[int] = []
    for start, end, event in placed:
        if ends and start >= max(ends):
            found += _closed(group, len(ends))
            group, ends = [], []
        lane = next((number for number, busy in enumerate(ends) if busy <= start), len(ends))
        if lane == len(ends):
            ends.append(end)
        else:
            ends[lane] = end
        group.append((start, end, event, lane))
    return found + _closed(group, len(ends))


def _closed(group: list[tuple[int, int, EventShown, int]], lanes: int) -> list[Block]:
    return [Block(event, start, end - start, lane, lanes) for start, end, event, lane in group]
