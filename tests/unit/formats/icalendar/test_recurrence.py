"""Recurrence beside recurring-ical-events, and what no library bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.occurrences import ExpansionBounds, extent, occurrences
from mailstead.formats.icalendar.recurrence import Budget, RecurrenceLimitError, starts
from mailstead.formats.icalendar.rule import parse_rule
from mailstead.formats.icalendar.zones import Zones
from support.corpus import corpus_files

BOUNDS = ContentBounds()
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")


def event(*lines: str, more: str = "") -> bytes:
    inner = "\r\n".join(("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{more}{inner}\r\nEND:VCALENDAR\r\n".encode()


def ours(data: bytes, since: datetime, until: datetime) -> list[int]:
    found = read_calendar_object(data, BOUNDS)
    zones = Zones(found.calendar)
    listed = occurrences(found, zones, int(since.timestamp()), int(until.timestamp()), ExpansionBounds())
    span = extent(found, zones)
    assert span is not None
    for one in listed:
        assert span.start <= one.start
        assert span.end is None or one.end <= span.end
    return [one.start for one in listed]


def theirs(data: bytes, since: datetime, until: datetime) -> list[int]:
    calendar: Any = icalendar.Calendar.from_ical(data)
    found = []
    for one in recurring_ical_events.of(calendar).between(since, until):
        start = one["DTSTART"].dt
        if not isinstance(start, datetime):
            start = datetime(start.year, start.month, start.day)
        found.append(int((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()))
    return sorted(found)


def wall_clock() -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(microsecond=0))


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    weekdays = st.sampled_from(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))
    if draw(st.booleans()):
        ordinals = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
        names = draw(st.lists(weekdays, min_size=1, max_size=3, unique=True))
        numbers = [draw(st.sampled_from(("1", "2", "-1", "5"))) if ordinals else "" for _ in names]
        parts.append("BYDAY=" + ",".join(number + name for number, name in zip(numbers, names, strict=True)))
    elif frequency in ("MONTHLY", "YEARLY", "DAILY") and draw(st.booleans()):
        days = draw(st.lists(st.integers(1, 31) | st.integers(-5, -1), min_size=1, max_size=3, unique=True))
        parts.append("BYMONTHDAY=" + ",".join(map(str, days)))
    elif frequency == "YEARLY" and draw(st.booleans()):
        days = draw(st.lists(st.integers(1, 366) | st.integers(-9, -1), min_size=1, max_size=3, unique=True))
        parts.append("BYYEARDAY=" + ",".join(map(str, days)))
    if draw(st.booleans()):
        months = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True))
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if draw(st.booleans()):
        parts.append("WKST=SU")
    if any(part.startswith("BYDAY") for part in parts) and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from((1, 2, -1)))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    elif draw(st.booleans()):
        parts.append(f"UNTIL={draw(wall_clock()):%Y%m%dT%H%M%SZ}")
    return ";".join(parts)


def first_of(rule: str, at: datetime) -> datetime | None:
    """A start that the rule gives itself: what a rule does with another one RFC 5545 leaves undefined."""
    endless = ";".join(part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))
    parsed = parse_rule(endless)
    try:
        return next((wall for wall in starts(parsed, at, at, Budget(3000))), None)
    except RecurrenceLimitError:
        return None


@settings(max_examples=200, deadline=None)
@given(rules(), wall_clock(), st.sampled_from(ZONES), st.integers(0, 900), st.data())
def test_rules_exceptions_and_changes_in_zones(
    rule: str, at: datetime, zone: str, after: int, data: st.DataObject
) -> None:
    first = first_of(rule, at)
    if first is None or first.year > 2030:
        return
    ends = parse_rule(rule).until
    if first_of(rule, first) != first or (ends is not None and ends.wall < first + timedelta(days=2)):
        return  # a start that ends before it begins: the oracle lists nothing, RFC 5545 the start
    start = f"DTSTART;TZID={zone}:{first:%Y%m%dT%H%M%S}"
    lines = [start, f"RRULE:{rule}", "DURATION:PT30M"]
    since = first.replace(tzinfo=UTC) + timedelta(days=after - 100)
    until = since + timedelta(days=120)
    instances = ours(event(*lines), first.replace(tzinfo=UTC) - timedelta(days=2), since + timedelta(days=130))
    if len(instances) > 2:
        excluded = data.draw(st.sampled_from(instances[1:]))
        lines.append(f"EXDATE:{datetime.fromtimestamp(excluded, UTC):%Y%m%dT%H%M%SZ}")
    calendar = event(*lines)
    assert ours(calendar, since, until) == theirs(calendar, since, until)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(("DAILY", "WEEKLY", "MONTHLY")), st.dates(datetime(2024, 1, 1).date(), datetime(2026, 1, 1).date())
)
def test_whole_days_with_more_dates(frequency: str, day: Any) -> None:
    extra = day + timedelta(days=3)
    calendar = event(
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"RRULE:FREQ={frequency};COUNT=20", f"RDATE;VALUE=DATE:{extra:%Y%m%d}"
    )
    since = datetime(2023, 12, 1, tzinfo=UTC)
    until = datetime(2028, 1, 1, tzinfo=UTC)
    assert ours(calendar, since, until) == theirs(calendar, since, until)


def test_summer_time_keeps_the_wall_clock_and_gaps_move_on() -> None:
    calendar = event("DTSTART;TZID=Europe/Berlin:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3", "DURATION:PT1H")
    listed = ours(calendar, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC))
    assert [f"{datetime.fromtimestamp(one, UTC):%d %H:%M}" for one in listed] == ["28 01:30", "29 01:30", "30 00:30"]


OWN_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Office\r\n"
    "BEGIN:STANDARD\r\nDTSTART:16011028T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010325T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)


@settings(deadline=None)
@given(wall_clock())
def test_an_objects_own_zone_is_as_the_one_it_describes(at: datetime) -> None:
    since, until = (at.replace(tzinfo=UTC) + timedelta(days=days) for days in (-3, 40))
    lines = ("RRULE:FREQ=DAILY;COUNT=30", "DURATION:PT1H")
    own = event(f"DTSTART;TZID=Office:{at:%Y%m%dT%H%M%S}", *lines, more=OWN_ZONE)
    named = event(f"DTSTART;TZID=Europe/Berlin:{at:%Y%m%dT%H%M%S}", *lines)
    assert ours(own, since, until) == ours(named, since, until)


def test_a_changed_instance_takes_the_place_of_its_original() -> None:
    master = event("DTSTART:20260105T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "DURATION:PT1H").decode()
    change = "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260106T090000Z\r\nDTSTART:20260120T090000Z\r\nEND:VEVENT\r\n"
    data = master.replace("END:VCALENDAR", change + "END:VCALENDAR").encode()
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert [datetime.fromtimestamp(one, UTC).day for one in ours(data, since, until)] == [5, 7, 20]


@pytest.mark.parametrize(
    ("lines", "day", "expected"),
    [
        (("DTSTART:20260105T090000Z", "DTEND:20260105T100000Z"), 5, True),
        (("DTSTART:20260104T090000Z", "DTEND:20260105T000000Z"), 5, False),
        (("DTSTART:20260105T000000Z",), 5, True),
        (("DTSTART:20260106T000000Z",), 5, False),
        (("DTSTART;VALUE=DATE:20260105",), 5, True),
        (("DTSTART;VALUE=DATE:20260104",), 5, False),
        (("DTSTART;VALUE=DATE:20260103", "DURATION:P3D"), 5, True),
    ],
)
def test_the_edges_of_a_range(lines: tuple[str, ...], day: int, expected: bool) -> None:
    since = datetime(2026, 1, day, tzinfo=UTC)
    assert bool(ours(event(*lines), since, since + timedelta(days=1))) is expected


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=1000000000",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYHOUR=3;BYSECOND=0,1,2",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366;BYYEARDAY=-1",
        "FREQ=DAILY;INTERVAL=1000000000",
    ],
)
def test_bombs_cost_no_more_than_their_budget(rule: str) -> None:
    found = read_calendar_object(event("DTSTART:20260101T000000Z", f"RRULE:{rule}"), BOUNDS)
    zones = Zones(found.calendar)
    span = extent(found, zones)
    assert span is not None
    assert span.end is None
    try:
        listed = occurrences(found, zones, span.start, span.start + 10**10, ExpansionBounds(steps=5000))
    except RecurrenceLimitError:
        return
    assert len(listed) <= 5000


def test_a_rule_that_began_long_ago_is_not_gone_through() -> None:
    rule = parse_rule("FREQ=HOURLY")
    listed = starts(rule, datetime(1900, 1, 1), datetime(2026, 1, 1), Budget(10))
    assert next(wall for wall in listed if wall >= datetime(2026, 1, 1)) == datetime(2026, 1, 1)


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=SOMETIMES", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;X",
     "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYDAY=54MO", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;RSCALE=CHINESE",
     "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;BYHOUR=-1", "FREQ=DAILY;COUNT=" + "9" * 5000],
)  # fmt: skip
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ContentError):
        parse_rule(rule)


@settings(deadline=None)
@given(st.text(alphabet="FREQ=DAILYWKBMONTHSUCUE;,-0123456789", max_size=80).map(lambda text: "FREQ=DAILY;" + text))
def test_rules_raise_nothing_but_their_own_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except ContentError:
        return
    first = datetime(2026, 1, 1)
    try:
        for _ in starts(rule, first, first, Budget(500)):
            pass
    except RecurrenceLimitError:
        return


@pytest.mark.parametrize(
    "change",
    [
        (b"VERSION:2.0\r\n", b""),
        (b"PRODID:x\r\n", b"METHOD:REQUEST\r\n"),
        (b"UID:1\r\n", b""),
        (b"VEVENT", b"VPARTY"),
        (b"END:VEVENT\r\n", b"END:VEVENT\r\nBEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n"),
        (b"END:VEVENT\r\n", b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nRECURRENCE-ID:20260101\r\nEND:VEVENT\r\n"),
        (b"END:VEVENT\r\n", b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n"),
    ],
)
def test_what_a_calendar_does_not_hold(change: tuple[bytes, bytes]) -> None:
    data = event("DTSTART:20260101T000000Z")
    read_calendar_object(data, BOUNDS)
    with pytest.raises(ContentError):
        read_calendar_object(data.replace(*change), BOUNDS)


def test_corpus() -> None:
    files = corpus_files("icalendar", ".ics")
    if not files:
        pytest.skip("the corpus is not beside the checkout")
    expanded = 0
    for path in files:
        try:
            found = read_calendar_object(path.read_bytes(), BOUNDS)
            zones = Zones(found.calendar)
            extent(found, zones)
            occurrences(found, zones, 0, 2_000_000_000, ExpansionBounds(steps=2000))
        except (ContentError, RecurrenceLimitError):
            continue
        expanded += 1
    assert expanded > 20
