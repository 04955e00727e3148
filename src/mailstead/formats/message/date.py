"""Dates of messages (RFC 5322 §3.3), as leniently read as they are written."""

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    rb"(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*[\s,-]+(\d{2,4})[\s,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*"
    rb"([+-]\d{4}|[A-Za-z]{1,5})?"
)
_ZONES = {b"EST": -5, b"EDT": -4, b"CST": -6, b"CDT": -5, b"MST": -7, b"MDT": -6, b"PST": -8, b"PDT": -7}
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SCAN_LIMIT = 200


def parse_date(value: bytes) -> int | None:
    """Seconds since the epoch, None when no date can be read."""
    found = _parse(value)
    return None if found is None else found[0] - found[1]


def parse_local_date(value: bytes) -> int | None:
    """The same of the date and time as they are written, their zone disregarded."""
    found = _parse(value)
    return None if found is None else found[0]


def _parse(value: bytes) -> tuple[int, int] | None:
    found = _DATE.search(value[:_SCAN_LIMIT])
    if found is None:
        return None
    day, month_name, year, hour, minute, second, zone = found.groups()
    name = month_name.decode("ascii").lower()
    if name not in _MONTHS:
        return None
    full_year = int(year)
    if len(year) < 4:  # RFC 5322 §4.3
        full_year += 2000 if full_year < 50 else 1900
    try:
        moment = datetime(
            full_year, _MONTHS.index(name) + 1, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC
        )
    except ValueError:
        return None
    return int(moment.timestamp()), _offset(zone or b"")


def parse_zone(value: bytes) -> int:
    """The offset from UTC that a date was written with, in minutes; 0 when there is none."""
    found = _DATE.search(value[:_SCAN_LIMIT])
    minutes = _offset(found[7] or b"") // 60 if found is not None else 0
    return minutes if abs(minutes) < 24 * 60 else 0


def _offset(zone: bytes) -> int:
    if zone[:1] in (b"+", b"-"):
        seconds = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
        return -seconds if zone[:1] == b"-" else seconds
    return _ZONES.get(zone.upper(), 0) * 3600


def format_date(moment: float, offset_minutes: int = 0) -> str:
    """`moment` (seconds since the epoch) as `Mon, 23 Nov 2026 20:33:00 +0000`."""
    local = datetime.fromtimestamp(int(moment), UTC).astimezone(timezone(timedelta(minutes=offset_minutes)))
    month = _MONTHS[local.month - 1].capitalize()
    return f"{_DAY_NAMES[local.weekday()]}, {local.day:02} {month} {local.year:04} {local:%H:%M:%S %z}"
