"""An event as a form: read from a component, and written into one."""

import re
import uuid
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.content_lines.write import text_line
from mailstead.formats.icalendar.rule import parse_rule
from mailstead.formats.icalendar.values import moment_of, parse_duration
from mailstead.formats.icalendar.zone_writing import write_zone
from mailstead.formats.icalendar.zones import named_zone
from mailstead.foundation.errors import InvalidError
from mailstead.mail.scheduling.calendar_user import bare, is_mail
from mailstead.mail.scheduling.message import PRODID, stamp
from mailstead.mail.scheduling.series import Series, written

REPEATS = ("", "DAILY", "WEEKLY", "WORKDAYS", "MONTHLY", "YEARLY")
_WORKDAYS = "MO,TU,WE,TH,FR"
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]{1,250}\Z")
_MOST_PEOPLE = 200


class EventForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a person enters. Dates as 2026-09-07, times as 09:00; `people` an address a line; `alarm` minutes before."""

    title: str = ""
    all_day: bool = False
    start_day: str = ""
    start_time: str = ""
    end_day: str = ""
    end_time: str = ""
    zone: str = "UTC"
    place: str = ""
    notes: str = ""
    repeat: str = ""
    until: str = ""
    people: str = ""
    alarm: str = ""
    is_free: bool = False
    is_private: bool = False
    rule: str = ""
    """A rule that the choices above do not tell, kept as it is."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidError("That is no date") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidError("That is no time") from None


def times_of(form: EventForm) -> tuple[datetime, datetime]:
    """Start and end on the wall clock; the end of whole days is the day after the last. Raises InvalidError."""
    first = _day(form.start_day)
    last = _day(form.end_day or form.start_day)
    if form.all_day:
        start, end = datetime.combine(first, time()), datetime.combine(last, time()) + timedelta(days=1)
    else:
        start = datetime.combine(first, _time(form.start_time).replace(tzinfo=None))
        end = datetime.combine(last, _time(form.end_time or form.start_time).replace(tzinfo=None))
    if end < start or not 1900 <= start.year <= 2200 or end.year > 2300:
        raise InvalidError("An event ends after it begins")
    return start, end


def people_of(form: EventForm) -> list[str]:
    """The addresses of those who are invited. Raises InvalidError."""
    found = []
    for line in form.people.replace(",", "\n").replace(";", "\n").splitlines():
        address = line.strip().rpartition("<")[2].rstrip(">").strip().lower()
        if not address:
            continue
        if not _ADDRESS.match(address):
            raise InvalidError(f"{address[:100]} is no address")
        found.append(address)
    if len(found) > _MOST_PEOPLE:
        raise InvalidError(f"At most {_MOST_PEOPLE} people are invited")
    return list(dict.fromkeys(found))


def new_calendar(form: EventForm, me: str, now: float) -> tuple[str, bytes]:
    """UID and octets of a new event. Raises InvalidError."""
    uid = str(uuid.uuid4())
    calendar = Tree("VCALENDAR")
    calendar.add(ContentLine("VERSION", "2.0"), ContentLine("PRODID", PRODID))
    component = Tree("VEVENT")
    component.add(ContentLine("UID", uid))
    fill(component, form, me, now)
    calendar.items.append(component)
    add_zone(calendar, form)
    return uid, calendar.octets()


def add_zone(calendar: Tree, form: EventForm) -> None:
    """Put the zone of the form's times into the calendar, when it has not got it."""
    if form.all_day or any(one.value("TZID") == form.zone for one in calendar.children("VTIMEZONE")):
        return
    zone = write_zone(form.zone, _day(form.start_day).year)
    if zone is not None and form.zone != "UTC":
        place = next((at for at, item in enumerate(calendar.items) if isinstance(item, Tree)), len(calendar.items))
        calendar.items.insert(place, zone)


def fill(component: Tree, form: EventForm, me: str, now: float, *, keeps_rule: bool = False) -> None:
    """Write a form into a component; with `keeps_rule` how it repeats stays. Raises InvalidError."""
    start, end = times_of(form)
    component.remove("DURATION")
    component.set(moment_line("DTSTART", start, form))
    component.set(moment_line("DTEND", end, form))
    for name, text in (("SUMMARY", form.title), ("LOCATION", form.place), ("DESCRIPTION", form.notes)):
        _set_text(component, name, text)
    component.set(ContentLine("TRANSP", "TRANSPARENT" if form.is_free else "OPAQUE"))
    if form.is_private or component.value("CLASS").upper() == "PRIVATE":
        component.set(ContentLine("CLASS", "PRIVATE" if form.is_private else "PUBLIC"))
    if not keeps_rule:
        rule = rule_of(form, start)
        component.remove("RRULE")
        if rule:
            component.add(ContentLine("RRULE", rule))
    _set_people(component, people_of(form), me)
    _set_alarm(component, form.alarm)
    component.set(stamp(now))
    component.set(ContentLine("LAST-MODIFIED", stamp(now).value))


def moment_line(name: str, wall: datetime, form: EventForm) -> ContentLine:
    """DTSTART or its like of a form's time."""
    if form.all_day:
        return ContentLine(name, written(wall, "date"), (("VALUE", ("DATE",)),))
    if form.zone == "UTC":
        return ContentLine(name, written(wall, "utc"))
    return ContentLine(name, written(wall, "local"), (("TZID", (form.zone,)),))


def _set_text(component: Tree, name: str, text: str) -> None:
    plain = text.replace("\r\n", "\n").strip()
    if not plain:
        component.remove(name)
    elif component.text(name) != plain:
        component.set(text_line(name, plain))


def rule_of(form: EventForm, start: datetime) -> str:
    """RRULE; empty for what does not repeat. Raises InvalidError."""
    if form.repeat == "OTHER":
        return form.rule
    if form.repeat not in REPEATS:
        raise InvalidError("There is no such repetition")
    if not form.repeat:
        return ""
    rule = f"FREQ=WEEKLY;BYDAY={_WORKDAYS}" if form.repeat == "WORKDAYS" else f"FREQ={form.repeat}"
    if not form.until:
        return rule
    last = _day(form.until)
    if last < start.date():
        raise InvalidError("The repetition ends after it begins")
    if form.all_day:
        return f"{rule};UNTIL={last:%Y%m%d}"
    end = datetime.combine(last, time(23, 59, 59)).replace(tzinfo=ZoneInfo(form.zone)).astimezone(ZoneInfo("UTC"))
    return f"{rule};UNTIL={end:%Y%m%dT%H%M%SZ}"


def _set_people(component: Tree, people: list[str], me: str) -> None:
    """The organizer, and those invited; lines of those who stay are kept with their answers."""
    if not people:
        component.remove("ATTENDEE", "ORGANIZER")
        return
    if component.first("ORGANIZER") is None:
        component.add(ContentLine("ORGANIZER", f"mailto:{me}"))
    wanted = [me, *(one for one in people if one != me)]
    component.replace("ATTENDEE", lambda line: line if bare(line.value) in wanted else None)
    have = {bare(line.value) for line in component.all("ATTENDEE")}
    for address in wanted:
        if address not in have:
            answer = "ACCEPTED" if address == me else "NEEDS-ACTION"
            more = () if address == me else (("RSVP", ("TRUE",)),)
            component.add(ContentLine("ATTENDEE", f"mailto:{address}", (("PARTSTAT", (answer,)), *more)))


def _set_alarm(component: Tree, minutes: str) -> None:
    """The one alarm that the form tells of; others stay."""
    if minutes == alarm_of(component):
        return
    for alarm in component.children("VALARM"):
        if _minutes(alarm) is not None:
            component.drop(alarm)
            break
    if minutes.isascii() and minutes.isdigit() and int(minutes) <= 100_000:
        alarm = Tree("VALARM")
        alarm.add(
            ContentLine("ACTION", "DISPLAY"),
            ContentLine("DESCRIPTION", "Reminder"),
            ContentLine("TRIGGER", f"-PT{int(minutes)}M"),
        )
        component.items.append(alarm)


def _minutes(alarm: Tree) -> int | None:
    line = alarm.first("TRIGGER")
    if line is None or line.parameter("RELATED") or not line.value.strip().lstrip("+-").upper().startswith("P"):
        return None
    length = parse_duration(line.value)
    seconds = length.days * 86400 + length.seconds
    return -seconds // 60 if seconds <= 0 else None


def alarm_of(component: Tree) -> str:
    """Minutes of the first alarm before the start; empty without one."""
    for alarm in component.children("VALARM"):
        found = _minutes(alarm)
        if found is not None:
            return str(found)
    return ""


def form_of(series: Series, component: Tree, zone: ZoneInfo, me: frozenset[str]) -> EventForm:
    """The form of a component, its times on the clock of its own zone, or of `zone` for times in UTC and zones unknown.

    Raises ContentError.
    """
    line = component.first("DTSTART")
    if line is None:
        raise InvalidError("The event has no time")
    first = moment_of(line)
    is_all_day = first.is_date
    own = first.zone if first.form == "local" and first.zone else zone.key
    start, end = first.wall, _end_wall(series, component)
    if first.form == "utc" or named_zone(own) is None:
        own = zone.key
        shift = datetime.fromtimestamp(series.instant(line), zone).replace(tzinfo=None) - start
        start, end = start + shift, end + shift
    rule = component.value("RRULE")
    repeat, until = _repeat(rule, ZoneInfo(own))
    last = end - timedelta(days=1) if is_all_day and end > start else end
    people = [bare(one.value) for one in component.all("ATTENDEE")]
    return EventForm(
        title=component.text("SUMMARY"),
        all_day=is_all_day,
        start_day=f"{start:%Y-%m-%d}",
        start_time=f"{start:%H:%M}",
        end_day=f"{last:%Y-%m-%d}",
        end_time=f"{end:%H:%M}",
        zone=own,
        place=component.text("LOCATION"),
        notes=component.text("DESCRIPTION"),
        repeat=repeat,
        until=until,
        people="\n".join(one for one in people if one not in me and is_mail(one)),
        alarm=alarm_of(component),
        is_free=component.value("TRANSP").upper() == "TRANSPARENT",
        is_private=component.value("CLASS").upper() == "PRIVATE",
        rule=rule if repeat == "OTHER" else "",
    )


def _end_wall(series: Series, component: Tree) -> datetime:
    line = component.first("DTSTART")
    assert line is not None
    first = moment_of(line)
    end = component.first("DTEND")
    if end is not None:
        seconds = series.instant(end) - series.instant(line)
        return first.wall + timedelta(seconds=max(seconds, 0))
    duration = component.first("DURATION")
    if duration is not None:
        length = parse_duration(duration.value)
        return first.wall + timedelta(days=max(length.days, 0), seconds=max(length.seconds, 0))
    return first.wall + timedelta(days=int(first.is_date))


def _repeat(rule: str, zone: ZoneInfo) -> tuple[str, str]:
    """The choice of the form that a rule is, and the day it ends; OTHER for any that the form cannot tell."""
    if not rule:
        return "", ""
    found = parse_rule(rule)
    parts = {part.partition("=")[0].upper() for part in rule.split(";")}
    until = ""
    if found.until is not None:
        wall = found.until.wall
        if found.until.form == "utc":
            wall = wall.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None)
        until = f"{wall:%Y-%m-%d}"
    if found.interval != 1 or found.count is not None or parts - {"FREQ", "UNTIL", "WKST", "INTERVAL", "BYDAY"}:
        return "OTHER", until
    days = {day for ordinal, day in found.days if not ordinal}
    if found.frequency == "WEEKLY" and days == {0, 1, 2, 3, 4}:
        return "WORKDAYS", until
    return (found.frequency, until) if not found.days and found.frequency in REPEATS else ("OTHER", until)
