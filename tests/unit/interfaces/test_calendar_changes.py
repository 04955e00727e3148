"""Events changed for one instance, for it and all that follow, and for all."""

from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.occurrences import ExpansionBounds, occurrences
from mailstead.formats.icalendar.zone_writing import write_zone
from mailstead.formats.icalendar.zones import Zones
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.calendars.changes import (
    Changed,
    Scope,
    answer_event,
    change_event,
    component_at,
    remove_event,
)
from mailstead.interfaces.calendars.days import EventShown, blocks_of
from mailstead.interfaces.calendars.event import EventForm, form_of, new_calendar, people_of
from support.events import ANN, BOB, BOUNDS, NOW, attendee, calendar, event, series

PARIS = ZoneInfo("Europe/Paris")
DAILY = EventForm(
    title="Talk",
    start_day="2026-10-23",
    start_time="09:00",
    end_day="2026-10-23",
    end_time="10:00",
    zone="Europe/Paris",
    repeat="DAILY",
    until="2026-10-27",
)


def starts(*several: bytes | None) -> list[str]:
    """The starts of all instances on the clock of Paris."""
    found = []
    for data in several:
        if data is not None:
            one = read_calendar_object(data, BOUNDS)
            found += occurrences(one, Zones(one.calendar), 0, 2**40, ExpansionBounds())
    return sorted(f"{datetime.fromtimestamp(one.start, PARIS):%d %H:%M}" for one in found)


def at(day: int) -> int:
    return int(datetime(2026, 10, day, 9, tzinfo=PARIS).timestamp())


def changed(scope: Scope, form: EventForm, day: int = 25) -> Changed:
    _, data = new_calendar(DAILY, ANN, NOW)
    return change_event(data, at(day), scope, form, ANN, NOW, BOUNDS)


def form(day: int, time: str, **more: str) -> EventForm:
    text = f"2026-10-{day}"
    return replace(DAILY, start_day=text, end_day=text, start_time=time, end_time="23:00", **more)


def test_a_new_event_is_at_its_time_through_the_end_of_summer_time() -> None:
    _, data = new_calendar(DAILY, ANN, NOW)
    assert starts(data) == [f"{day} 09:00" for day in (23, 24, 25, 26, 27)]
    assert data.count(b"BEGIN:VTIMEZONE") == 1
    shown = form_of(series(data), series(data).first, PARIS, frozenset([ANN]))
    assert shown == DAILY


def test_one_instance() -> None:
    done = changed("this", form(25, "11:00"))
    assert done.more is None
    assert starts(done.data) == ["23 09:00", "24 09:00", "25 11:00", "26 09:00", "27 09:00"]


def test_this_and_all_that_follow() -> None:
    done = changed("future", form(25, "11:00"))
    assert starts(done.data) == ["23 09:00", "24 09:00"]
    assert starts(done.more) == ["25 11:00", "26 11:00", "27 11:00"]
    assert series(done.data).uid != series(done.more).uid


def test_all_of_them_by_a_later_one() -> None:
    done = changed("all", form(25, "11:00"))
    assert starts(done.data) == [f"{day} 11:00" for day in (23, 24, 25, 26, 27)]


@pytest.mark.parametrize(
    ("scope", "left"),
    [("this", ["23 09:00", "24 09:00", "26 09:00", "27 09:00"]), ("future", ["23 09:00", "24 09:00"]), ("all", [])],
)
def test_removing(scope: str, left: list[str]) -> None:
    _, data = new_calendar(DAILY, ANN, NOW)
    assert starts(remove_event(data, at(25), cast(Scope, scope), BOUNDS).data) == left


def test_answers() -> None:
    weekly = calendar(event(attendee(BOB), "RRULE:FREQ=WEEKLY;COUNT=3"))
    whole = answer_event(weekly, None, "ACCEPTED", frozenset([BOB]), BOUNDS)
    assert b"PARTSTAT=ACCEPTED:mailto:bob" in whole
    second = int(datetime(2026, 9, 14, 9, tzinfo=PARIS).timestamp())
    once = series(answer_event(weekly, second, "DECLINED", frozenset([BOB]), BOUNDS))
    assert "DECLINED" in component_at(once, second).octets().decode()
    assert once.master is not None
    assert b"DECLINED" not in once.master.octets()


@pytest.mark.parametrize(
    "wrong",
    [
        form(25, "noon"),
        EventForm(start_day="2026-13-01", start_time="09:00"),
        EventForm(start_day="2026-10-25", start_time="09:00", end_day="2026-10-24", end_time="09:00"),
        EventForm(start_day="2026-10-25", start_time="09:00", end_time="10:00", repeat="HOURLY"),
        EventForm(start_day="2026-10-25", start_time="09:00", end_time="10:00", people="nobody"),
    ],
)
def test_forms_that_say_nothing(wrong: EventForm) -> None:
    with pytest.raises(InvalidError):
        new_calendar(wrong, ANN, NOW)


def test_people() -> None:
    assert people_of(EventForm(people="Bob <BOB@a.test>, eve@b.test\nbob@a.test\n")) == ["bob@a.test", "eve@b.test"]


def test_whole_days_and_what_the_form_does_not_know_stay() -> None:
    given = EventForm(title="Trip", all_day=True, start_day="2026-10-23", end_day="2026-10-25", alarm="60")
    _, data = new_calendar(given, ANN, NOW)
    data = data.replace(b"END:VEVENT", b"X-MINE:1\r\nGEO:1;2\r\nEND:VEVENT")
    shown = form_of(series(data), series(data).first, PARIS, frozenset([ANN]))
    assert (shown.all_day, shown.start_day, shown.end_day, shown.alarm) == (True, "2026-10-23", "2026-10-25", "60")
    done = change_event(data, None, "all", shown, ANN, NOW + 60, BOUNDS)
    assert done.data is not None
    assert b"X-MINE:1\r\nGEO:1;2\r\n" in done.data


@pytest.mark.parametrize("name", ["Europe/Paris", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Asia/Kolkata"])
def test_written_zones_are_as_the_named_ones(name: str) -> None:
    zone = write_zone(name, 2026)
    assert zone is not None
    text = zone.octets().replace(name.encode(), b"Own")
    for month in range(1, 13):
        for year in (2026, 2027, 2030):
            one = read_calendar_object(
                b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + text + b"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Own:"
                b"%d%02d15T120000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n" % (year, month),
                BOUNDS,
            )
            (found,) = occurrences(one, Zones(one.calendar), 0, 2**40, ExpansionBounds())
            assert found.start == int(datetime(year, month, 15, 12, tzinfo=ZoneInfo(name)).timestamp())


def shown(start: int, end: int) -> EventShown:
    day = datetime(2026, 10, 5)
    return EventShown(
        "k", 0, "n", 0, day.replace(hour=start), day.replace(hour=end), False, False, "", "", "", False, False, True
    )


def test_blocks_stand_beside_each_other() -> None:
    blocks = blocks_of(date(2026, 10, 5), [shown(9, 11), shown(10, 12), shown(11, 13), shown(15, 16)])
    assert [(one.row, one.span, one.lane, one.lanes) for one in blocks] == [
        (36, 8, 0, 2),
        (40, 8, 1, 2),
        (44, 8, 0, 2),
        (60, 4, 0, 1),
    ]
