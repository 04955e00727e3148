"""Days of the year that a card knows (BDAY, ANNIVERSARY; RFC 6350 §6.2.5, §6.2.6), and events that tell of them."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.write import text_line, write_line

What = Literal["birthday", "anniversary"]
_NAMES: dict[str, What] = {
    "BDAY": "birthday",
    "ANNIVERSARY": "anniversary",
    "X-ANNIVERSARY": "anniversary",
    "X-EVOLUTION-ANNIVERSARY": "anniversary",
}
_MARKS: dict[What, str] = {"birthday": "\N{BIRTHDAY CAKE}", "anniversary": "\N{RING}"}
_DAY = re.compile(r"(?:(\d{4})-?|--)(\d\d)-?(\d\d)(?:[T ].*)?\Z", re.ASCII)
_LEAP = 1972  # stands for a year that is not known: it has all days
_CATEGORIES: dict[What, str] = {"birthday": "Birthday", "anniversary": "Anniversary"}


class Anniversary(msgspec.Struct, frozen=True):
    """A day of the year; `year` is the first one, None when the card does not tell."""

    what: What
    year: int | None
    month: int
    day: int


def anniversaries(card: Component) -> Iterator[Anniversary]:
    """The days of a card, each kind once. A text, a year or a month alone is no day."""
    seen = set()
    for line in card.properties:
        what = _NAMES.get(line.name)
        found = None if what is None or what in seen else _read(line)
        if what is not None and found is not None:
            seen.add(what)
            year, month, day = found
            yield Anniversary(what, year, month, day)


def _read(line: ContentLine) -> tuple[int | None, int, int] | None:
    if (line.parameter("VALUE") or "").lower() == "text":
        return None
    found = _DAY.match(line.value.strip())
    if found is None:
        return None
    year = None if found[1] is None or found[1] == (line.parameter("X-APPLE-OMIT-YEAR") or "0000") else int(found[1])
    try:
        day = date(year or _LEAP, int(found[2]), int(found[3]))
    except ValueError:
        return None
    return year, day.month, day.day


def anniversary_event(one: Anniversary, uid: str, name: str) -> bytes:
    """A calendar object: the whole day each year, keeping nobody busy. The same day and name make the same octets.

    What falls on the 29th of February is on the 28th where there is none (RFC 5545 §3.3.10: BYMONTHDAY=-1).
    """
    first = date(one.year or _LEAP, one.month, one.day)
    last = first.toordinal() < date.max.toordinal() and first + timedelta(days=1)
    rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" if (one.month, one.day) == (2, 29) else "FREQ=YEARLY"
    title = f"{_MARKS[one.what]} {name}" + ("" if one.year is None else f" ({one.year})")
    whole = (("VALUE", ("DATE",)),)
    lines = (
        ContentLine("BEGIN", "VCALENDAR"),
        ContentLine("VERSION", "2.0"),
        ContentLine("PRODID", "-//Mailstead//Mailstead//EN"),
        ContentLine("BEGIN", "VEVENT"),
        ContentLine("UID", uid),
        ContentLine("DTSTAMP", "19700101T000000Z"),
        ContentLine("DTSTART", _written(first), whole),
        *((ContentLine("DTEND", _written(last), whole),) if last else ()),
        ContentLine("RRULE", rule),
        text_line("SUMMARY", title),
        ContentLine("CATEGORIES", _CATEGORIES[one.what]),
        ContentLine("TRANSP", "TRANSPARENT"),
        ContentLine("END", "VEVENT"),
        ContentLine("END", "VCALENDAR"),
    )
    return b"".join(write_line(line) for line in lines)


def _written(day: date) -> str:
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
