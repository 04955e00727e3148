"""Busy time: which events count, and how stretches are put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.free_busy import Busy, busy_periods, free_busy_lines, merged
from mailstead.formats.icalendar.occurrences import ExpansionBounds
from mailstead.formats.icalendar.zones import Zones

DAY = 86400
START = 1_788_739_200  # 2026-09-07 00:00 UTC


def busy(*lines: str, kind: str = "VEVENT", me: frozenset[str] = frozenset()) -> list[Busy]:
    text = "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", f"BEGIN:{kind}", "UID:1", *lines, f"END:{kind}", "END:VCALENDAR", ""]
    )
    found = read_calendar_object(text.encode(), ContentBounds())
    return busy_periods(found, Zones(found.calendar), START, START + 7 * DAY, ExpansionBounds(), me)


NINE = ("DTSTART:20260907T090000Z", "DTEND:20260907T100000Z")


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        (NINE, ["BUSY"]),
        ((*NINE, "STATUS:TENTATIVE"), ["BUSY-TENTATIVE"]),
        ((*NINE, "STATUS:CANCELLED"), []),
        ((*NINE, "TRANSP:TRANSPARENT"), []),
        ((*NINE, "ATTENDEE;PARTSTAT=DECLINED:mailto:Me@a.test"), []),
        ((*NINE, "ATTENDEE:mailto:me@a.test"), ["BUSY-TENTATIVE"]),
        ((*NINE, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@a.test"), ["BUSY"]),
        ((*NINE, "ATTENDEE;PARTSTAT=DECLINED:mailto:you@a.test"), ["BUSY"]),
        ((*NINE, "RRULE:FREQ=DAILY"), ["BUSY"] * 7),
        (("DTSTART:20260907T090000Z",), []),
        (("DTSTART;VALUE=DATE:20260907",), ["BUSY"]),
    ],
)
def test_which_events_count(lines: tuple[str, ...], kinds: list[str]) -> None:
    assert [one.kind for one in busy(*lines, me=frozenset(["me@a.test"]))] == kinds


def test_free_busy_objects_tell_for_themselves() -> None:
    told = busy(
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260907T000000Z/PT1H,20260906T230000Z/20260907T003000Z",
        "FREEBUSY;FBTYPE=FREE:20260908T000000Z/PT1H",
        kind="VFREEBUSY",
    )
    assert told == [
        Busy(START, START + 3600, "BUSY-UNAVAILABLE"),
        Busy(START, START + 1800, "BUSY-UNAVAILABLE"),
    ]


def test_what_reaches_out_of_the_range_is_cut() -> None:
    assert busy("DTSTART:20260906T230000Z", "DTEND:20260907T010000Z") == [Busy(START, START + 3600, "BUSY")]


PERIOD = st.builds(
    lambda start, length, kind: Busy(start, start + length, kind),
    st.integers(0, 60),
    st.integers(1, 20),
    st.sampled_from(["BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE"]),
)


@given(st.lists(PERIOD, max_size=12))
def test_each_second_has_its_surest_kind_once(periods: list[Busy]) -> None:
    order = ["BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE"]
    wanted = {}
    for second in range(90):
        kinds = [one.kind for one in periods if one.start <= second < one.end]
        if kinds:
            wanted[second] = min(kinds, key=order.index)
    result = merged(periods)
    found = [(second, one.kind) for one in result for second in range(one.start, one.end)]
    assert len(found) == len(dict(found))
    assert dict(found) == wanted
    assert result == sorted(result)


def test_lines() -> None:
    lines = free_busy_lines([Busy(START, START + 60, "BUSY"), Busy(START + 60, START + 90, "BUSY-TENTATIVE")])
    assert [(line.value, line.parameters) for line in lines] == [
        ("20260907T000000Z/20260907T000100Z", ()),
        ("20260907T000100Z/20260907T000130Z", (("FBTYPE", ("BUSY-TENTATIVE",)),)),
    ]
