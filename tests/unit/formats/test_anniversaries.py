"""Days of the year in cards, and the events that are made of them."""

import pytest

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences
from mailstead.formats.icalendar.values import wall_of
from mailstead.formats.icalendar.zones import Zones
from mailstead.formats.vcard.anniversaries import Anniversary, anniversaries, anniversary_event
from mailstead.formats.vcard.card import read_card
from support.dav import card

BOUNDS = ContentBounds()
YEAR = 366 * 86400


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("BDAY:1996-04-15", (1996, 4, 15)),
        ("BDAY:19960415", (1996, 4, 15)),
        ("BDAY;VALUE=DATE:1996-04-15", (1996, 4, 15)),
        ("BDAY:1953-10-15T23:10:00Z", (1953, 10, 15)),
        ("BDAY:19531015T231000Z", (1953, 10, 15)),
        ("BDAY;VALUE=date-and-or-time:--0203", (None, 2, 3)),
        ("BDAY:--02-29", (None, 2, 29)),
        ("BDAY:20000229", (2000, 2, 29)),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", (None, 2, 29)),
        ("BDAY:0000-05-06", (None, 5, 6)),
        ("BDAY;VALUE=text:circa 1800", None),
        ("BDAY;VALUE=text:18000101", None),
        ("BDAY:1996", None),
        ("BDAY:1996-04", None),
        ("BDAY:---15", None),
        ("BDAY:19960431", None),
        ("BDAY:19990229", None),
        ("BDAY:", None),
        ("BDAY:" + "9" * 10_000, None),
    ],
)
def test_days(line: str, found: tuple[int | None, int, int] | None) -> None:
    made = read_card(card("a", "Ann", line).encode(), BOUNDS)
    days = [(one.year, one.month, one.day) for one in anniversaries(made.component)]
    assert days == ([] if found is None else [found])


def test_each_kind_once() -> None:
    lines = ("BDAY:19960415", "BDAY:19970415", "X-ANNIVERSARY:2010-06-01", "ANNIVERSARY:20110601")
    made = read_card(card("a", "Ann", *lines).encode(), BOUNDS)
    assert list(anniversaries(made.component)) == [
        Anniversary("birthday", 1996, 4, 15),
        Anniversary("anniversary", 2010, 6, 1),
    ]


@pytest.mark.parametrize(
    ("one", "days"),
    [
        (Anniversary("birthday", 2000, 2, 29), ["2023-02-28", "2024-02-29", "2025-02-28"]),
        (Anniversary("birthday", None, 2, 29), ["2023-02-28", "2024-02-29", "2025-02-28"]),
        (Anniversary("birthday", None, 12, 31), ["2022-12-31", "2023-12-31", "2024-12-31"]),
        (Anniversary("anniversary", 2024, 7, 1), ["2024-07-01", "2025-07-01"]),
        (Anniversary("birthday", 1, 1, 1), ["2023-01-01", "2024-01-01", "2025-01-01"]),
        (Anniversary("birthday", 9999, 12, 31), []),
    ],
)
def test_the_day_comes_each_year(one: Anniversary, days: list[str]) -> None:
    found = read_calendar_object(anniversary_event(one, "u", "Ann, the first"), BOUNDS)
    since = 1_671_000_000  # in December 2022
    seen = occurrences(found, Zones(found.calendar), since, since + 3 * YEAR, ExpansionBounds())
    shown = [f"{wall_of(instance.start):%Y-%m-%d}" for instance in seen]
    assert shown[: len(days)] == days
    assert found.components[0].value("TRANSP") == "TRANSPARENT"


def test_titles() -> None:
    def title(one: Anniversary) -> str:
        found = read_calendar_object(anniversary_event(one, "u", "Ann, the first"), BOUNDS)
        line = found.components[0].first("SUMMARY")
        assert line is not None
        return line.text

    assert title(Anniversary("birthday", 1996, 4, 15)) == "🎂 Ann, the first (1996)"
    assert title(Anniversary("anniversary", None, 4, 15)) == "💍 Ann, the first"
