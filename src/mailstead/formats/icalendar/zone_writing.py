"""A VTIMEZONE for a zone of the IANA database (RFC 5545 §3.6.5), for programs that do not know it by its name."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree

_HOUR = timedelta(hours=1)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def write_zone(name: str, year: int) -> Tree | None:
    """The rules that hold from `year` on, as the zone has them then; None when there is no such zone."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    made = Tree("VTIMEZONE")
    made.add(ContentLine("TZID", name))
    changes = _changes(zone, year)
    if not changes:
        at = datetime(year, 1, 1)
        offset = _offset(zone, at)
        made.items.append(_observance("STANDARD", at, offset, offset, zone, ""))
    for wall, before, after in changes:
        kind = "DAYLIGHT" if after > before else "STANDARD"
        made.items.append(_observance(kind, wall, before, after, zone, _rule(zone, wall, before, after)))
    return made


def _offset(zone: ZoneInfo, wall: datetime) -> timedelta:
    return wall.replace(tzinfo=zone).utcoffset() or timedelta()


def _changes(zone: ZoneInfo, year: int) -> list[tuple[datetime, timedelta, timedelta]]:
    """Each change of a year: the wall clock before it, and the offsets around it."""
    utc = ZoneInfo("UTC")
    at = datetime(year, 1, 1, tzinfo=utc)
    end = datetime(year + 1, 1, 1, tzinfo=utc)
    offset = at.astimezone(zone).utcoffset() or timedelta()
    found = []
    while at < end:
        at += _HOUR
        now = at.astimezone(zone).utcoffset() or timedelta()
        if now != offset:
            found.append(((at + offset).replace(tzinfo=None), offset, now))
            offset = now
    return found


def _rule(zone: ZoneInfo, wall: datetime, before: timedelta, after: timedelta) -> str:
    """The rule by which the change comes every year: the same or the last weekday of its month, as the next year has it."""
    week = timedelta(days=7)
    ahead = [one[0] for one in _changes(zone, wall.year + 1) if one[1:] == (before, after)]
    is_last = all((one + week).month != wall.month == one.month for one in (wall, *ahead))
    number = -1 if is_last and len(ahead) == 1 else (wall.day - 1) // 7 + 1
    return f"FREQ=YEARLY;BYMONTH={wall.month};BYDAY={number}{_DAYS[wall.weekday()]}"


def _observance(kind: str, wall: datetime, before: timedelta, after: timedelta, zone: ZoneInfo, rule: str) -> Tree:
    made = Tree(kind)
    name = (wall + _HOUR + (after - before)).replace(tzinfo=zone).tzname() or kind
    made.add(
        ContentLine("DTSTART", f"{wall:%Y%m%dT%H%M%S}"),
        ContentLine("TZOFFSETFROM", _written(before)),
        ContentLine("TZOFFSETTO", _written(after)),
        ContentLine("TZNAME", name),
    )
    if rule:
        made.add(ContentLine("RRULE", rule))
    return made


def _written(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    return f"{sign}{seconds // 3600:02d}{seconds % 3600 // 60:02d}"
