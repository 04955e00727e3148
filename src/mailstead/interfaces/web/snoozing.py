"""Times to put a message off to, on the clock of who looks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mailstead.foundation.errors import InvalidError

_MORNING, _EVENING = 8, 18
_SATURDAY = 5


class SnoozeTime(msgspec.Struct, frozen=True):
    """A time that is offered: `name` says which (templates have the words), `wall` is it on the wall clock."""

    name: str
    at: int
    wall: datetime


def snooze_times(now: float, zone: ZoneInfo) -> list[SnoozeTime]:
    """What is offered now, the soonest first; only what is ahead by half an hour or more."""
    wall = datetime.fromtimestamp(now, UTC).astimezone(zone)
    today = wall.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    in_hours = (wall + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    weekend = today + timedelta(days=(_SATURDAY - today.weekday()) % 7 or 7, hours=_MORNING)
    wanted = [
        ("later", in_hours if in_hours.date() == wall.date() else None),
        ("evening", today + timedelta(hours=_EVENING)),
        ("tomorrow", today + timedelta(days=1, hours=_MORNING)),
        ("weekend", weekend if today.weekday() < _SATURDAY - 1 else None),
        ("week", today + timedelta(days=7 - today.weekday(), hours=_MORNING)),
    ]
    found: dict[int, SnoozeTime] = {}
    for name, at in wanted:
        if at is not None:
            seconds = int(at.replace(tzinfo=zone).timestamp())
            if seconds >= now + 1800:
                found.setdefault(seconds, SnoozeTime(name, seconds, at))
    return sorted(found.values(), key=lambda one: one.at)


def time_given(chosen: str, written: str, zone: ZoneInfo) -> float:
    """The epoch seconds of an offered time, or of one written as `2026-12-31T08:00` on the wall clock.

    Raises InvalidError.
    """
    try:
        if chosen:
            return float(int(chosen[:20]))
        return datetime.fromisoformat(written[:40]).replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        raise InvalidError("This is no time to come back at") from None
