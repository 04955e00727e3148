"""VAVAILABILITY: what of a range is not available."""

import pytest

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.availability import read_availability, unavailable
from mailstead.formats.icalendar.free_busy import free_busy_lines
from mailstead.formats.icalendar.occurrences import ExpansionBounds
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError

MONDAY = 1_788_739_200  # 2026-09-07T00:00:00Z
DAY = 86400
BOUNDS = ContentBounds()
HOURS = ("DTSTART:20260907T090000Z", "DTEND:20260907T170000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")


def available(*lines: str, uid: str = "a") -> str:
    return "\r\n".join(("BEGIN:AVAILABLE", f"UID:{uid}", *lines, "END:AVAILABLE"))


def availability(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20260101T000000Z", *lines, "END:VAVAILABILITY"))


def told(*components: str, days: int = 1, since: int = MONDAY) -> list[str]:
    text = "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", *components, "END:VCALENDAR", ""))
    found = unavailable(read_availability(text.encode(), BOUNDS), since, since + days * DAY, ExpansionBounds())
    lines = free_busy_lines(found)
    return [f"{line.parameter('FBTYPE') or 'BUSY'} {line.value}" for line in lines]


def test_office_hours() -> None:
    assert told(availability(available(*HOURS))) == [
        "BUSY-UNAVAILABLE 20260907T000000Z/20260907T090000Z,20260907T170000Z/20260908T000000Z"
    ]


def test_a_weekend_and_an_instance_at_another_time() -> None:
    other = available("RECURRENCE-ID:20260911T090000Z", "DTSTART:20260911T120000Z", "DTEND:20260911T130000Z")
    assert told(availability(available(*HOURS), other), days=2, since=MONDAY + 4 * DAY) == [
        "BUSY-UNAVAILABLE 20260911T000000Z/20260911T120000Z,20260911T130000Z/20260913T000000Z"
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("DTSTART:20260907T120000Z",), "BUSY-UNAVAILABLE 20260907T120000Z/20260908T000000Z"),
        (("DTEND:20260907T120000Z",), "BUSY-UNAVAILABLE 20260907T000000Z/20260907T120000Z"),
        (("DTSTART:20260907T120000Z", "DURATION:PT1H"), "BUSY-UNAVAILABLE 20260907T120000Z/20260907T130000Z"),
        (("BUSYTYPE:BUSY-TENTATIVE",), "BUSY-TENTATIVE 20260907T000000Z/20260908T000000Z"),
        (("BUSYTYPE:X-GONE",), "BUSY-UNAVAILABLE 20260907T000000Z/20260908T000000Z"),
    ],
)
def test_what_it_covers(lines: tuple[str, ...], found: str) -> None:
    assert told(availability(*lines)) == [found]


def test_priorities() -> None:
    usual = availability(available(*HOURS))
    away = availability("PRIORITY:3", "BUSYTYPE:BUSY", "DTSTART:20260907T100000Z", "DTEND:20260907T120000Z")
    back = availability(
        "PRIORITY:1",
        "DTSTART:20260907T110000Z",
        "DTEND:20260907T180000Z",
        available("DTSTART:20260907T110000Z", "DTEND:20260907T180000Z"),
    )
    assert told(back, away, usual) == [
        "BUSY 20260907T100000Z/20260907T110000Z",
        "BUSY-UNAVAILABLE 20260907T000000Z/20260907T090000Z,20260907T180000Z/20260908T000000Z",
    ]
    weak = availability("BUSYTYPE:BUSY-TENTATIVE")
    assert told(availability("BUSYTYPE:BUSY"), weak) == ["BUSY 20260907T000000Z/20260908T000000Z"]


def test_what_is_none() -> None:
    with pytest.raises(ContentError):
        told("BEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT")
    with pytest.raises(ContentError):
        told()
    with pytest.raises(RecurrenceLimitError):
        told(availability(available("DTSTART:19700101T000000Z", "DURATION:PT0S", "RRULE:FREQ=SECONDLY")))
