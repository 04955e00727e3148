"""Values of time (RFC 5545 §3.3.4, §3.3.5, §3.3.6, §3.3.9, §3.3.14)."""

import re
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?\Z", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?\Z", re.ASCII
)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?\Z", re.ASCII)
EPOCH = datetime(1970, 1, 1)
DAY = 86400

Form = Literal["date", "local", "utc"]


class Moment(msgspec.Struct, frozen=True):
    """A date (its midnight), a local time with the name of its zone (empty: floating), or a time in UTC."""

    wall: datetime
    form: Form
    zone: str = ""

    @property
    def is_date(self) -> bool:
        """Whether it is a whole day."""
        return self.form == "date"


class Period(msgspec.Struct, frozen=True):
    """A stretch of time by its end or by its length in seconds."""

    start: Moment
    end: Moment | None = None
    seconds: int | None = None


class Duration(msgspec.Struct, frozen=True):
    """Days by the calendar and seconds by the clock; negative before the moment it is related to."""

    days: int
    seconds: int


def parse_moment(text: str, zone: str = "") -> Moment:
    """DATE or DATE-TIME; a second of 60 is taken for 59. Raises ContentError."""
    match = _TIME.match(text.strip())
    if match is None:
        raise ContentError(f"not a date or time: {text[:40]}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        raise ContentError(f"no such date or time: {text[:40]}") from None
    if match[4] is None:
        return Moment(wall, "date")
    return Moment(wall, "utc") if match[7] else Moment(wall, "local", zone)


def moment_of(line: ContentLine) -> Moment:
    """The one value of DTSTART and its like, in the zone of its TZID. Raises ContentError."""
    return parse_moment(line.value, line.parameter("TZID") or "")


def moments_of(line: ContentLine, most: int) -> list[Moment]:
    """The values of EXDATE. Raises ContentError when there are more than `most`."""
    return [period.start for period in periods_of(line, most)]


def periods_of(line: ContentLine, most: int) -> list[Period]:
    """The values of RDATE or FREEBUSY; those that are no periods have neither end nor length. Raises ContentError."""
    zone = line.parameter("TZID") or ""
    values = line.value.split(",", most)
    if len(values) > most:
        raise ContentError("a list of dates is longer than allowed")
    return [_period(value, zone) for value in values if value.strip()]


def _period(text: str, zone: str) -> Period:
    first, slash, second = text.strip().partition("/")
    start = parse_moment(first, zone)
    if not slash:
        return Period(start)
    if second.lstrip("+-").upper().startswith("P"):
        length = parse_duration(second)
        return Period(start, None, length.days * DAY + length.seconds)
    return Period(start, parse_moment(second, zone))


def parse_duration(text: str) -> Duration:
    """DURATION. Raises ContentError."""
    match = _DURATION.match(text.strip().upper())
    if match is None or not any(match.groups()[1:]):
        raise ContentError(f"not a duration: {text[:40]}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    sign = -1 if match[1] == "-" else 1
    return Duration(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))


def parse_offset(text: str) -> int:
    """UTC-OFFSET in seconds. Raises ContentError."""
    match = _OFFSET.match(text.strip())
    if match is None:
        raise ContentError(f"not an offset from UTC: {text[:40]}")
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4] or 0)
    return -seconds if match[1] == "-" else seconds


def utc_text(seconds: int) -> str:
    """An instant as DATE-TIME in UTC."""
    wall = wall_of(seconds)
    return f"{wall.year:04}{wall:%m%dT%H%M%S}Z"


def seconds_of(wall: datetime) -> int:
    """Seconds from 1970 to a wall clock time, as if it were UTC."""
    passed = wall - EPOCH
    return passed.days * DAY + passed.seconds


def wall_of(seconds: int) -> datetime:
    """The wall clock in UTC at an instant; instants outside of the years 1 to 9999 are moved to their ends."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(microsecond=0) if seconds > 0 else datetime.min
