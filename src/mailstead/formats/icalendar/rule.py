"""RRULE as it is written (RFC 5545 §3.3.10)."""

from datetime import datetime
from typing import Literal

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.values import Moment, parse_moment

Frequency = Literal["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
FREQUENCIES: tuple[Frequency, ...] = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_MOST_VALUES = 400  # of one BY part
_MOST_NUMBER = 10**9
# What BY parts may hold: from, to, and whether negative numbers count from the end
_RANGES = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}


class Rule(msgspec.Struct, frozen=True):
    """A rule; weekdays are 0 for Monday, with their ordinal, 0 for every one."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    week_start: int = 0
    days: tuple[tuple[int, int], ...] = ()
    seconds: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    def passes(self, wall: datetime) -> bool:
        """Whether a start comes after UNTIL; for an UNTIL in UTC the caller compares instants."""
        if self.until is None or self.until.form == "utc":
            return False
        if self.until.is_date:
            return wall.date() > self.until.wall.date()
        return wall > self.until.wall


def parse_rule(text: str) -> Rule:
    """The rule. Raises ContentError for what RFC 5545 does not know, as for RSCALE (RFC 7529)."""
    parts: dict[str, str] = {}
    for part in text.strip().rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().upper()
        if not equals or name in parts:
            raise ContentError(f"not a recurrence rule: {text[:80]}")
        parts[name] = value.strip().upper()
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise ContentError("a recurrence rule has no known FREQ")
    numbers = {name: _numbers(parts.pop(name), name) for name in _RANGES if name in parts}
    rule = Rule(
        frequency,
        interval=_positive(parts.pop("INTERVAL", "1")),
        count=_positive(parts.pop("COUNT")) if "COUNT" in parts else None,
        until=parse_moment(parts.pop("UNTIL")) if "UNTIL" in parts else None,
        week_start=_weekday(parts.pop("WKST", "MO")),
        days=_days(parts.pop("BYDAY")) if "BYDAY" in parts else (),
        seconds=tuple(sorted({min(number, 59) for number in numbers.get("BYSECOND", ())})),
        minutes=numbers.get("BYMINUTE", ()),
        hours=numbers.get("BYHOUR", ()),
        month_days=numbers.get("BYMONTHDAY", ()),
        year_days=numbers.get("BYYEARDAY", ()),
        weeks=numbers.get("BYWEEKNO", ()),
        months=numbers.get("BYMONTH", ()),
        positions=numbers.get("BYSETPOS", ()),
    )
    unknown = [name for name in parts if not name.startswith("X-")]
    if unknown:
        raise ContentError(f"a recurrence rule has a part that is not known: {unknown[0][:20]}")
    return rule


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not 0 < int(text) <= _MOST_NUMBER:
        raise ContentError(f"not a number for a recurrence rule: {text[:20]}")
    return int(text)


def _numbers(text: str, name: str) -> tuple[int, ...]:
    low, high, negative = _RANGES[name]
    found = set()
    values = text.split(",")
    if len(values) > _MOST_VALUES:
        raise ContentError(f"{name} has too many values")
    for value in values:
        digits = value.strip().removeprefix("+")
        sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 4 or not low <= int(digits) <= high:
            raise ContentError(f"{name} has a value out of range")
        if sign < 0 and not negative:
            raise ContentError(f"{name} has a value out of range")
        found.add(sign * int(digits))
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise ContentError(f"not a weekday: {text[:20]}")
    return WEEKDAYS[text]


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    values = text.split(",")
    if len(values) > _MOST_VALUES:
        raise ContentError("BYDAY has too many values")
    for value in values:
        day, ordinal = value.strip()[-2:], value.strip()[:-2]
        digits = ordinal.lstrip("+-")
        if ordinal and (not (digits.isascii() and digits.isdigit()) or len(ordinal) > 3 or not 0 < int(digits) <= 53):
            raise ContentError("BYDAY has an ordinal out of range")
        found.add((int(ordinal or 0), _weekday(day)))
    return tuple(sorted(found))
