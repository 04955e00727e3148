"""Changes of events: of one instance, of it and all that follow, or of all."""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.icalendar.values import moment_of
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.interfaces.calendars.event import EventForm, add_zone, fill, new_calendar
from mailstead.mail.scheduling.calendar_user import bare, with_parameter
from mailstead.mail.scheduling.series import Series, exclude, instance_of, read_series, written

Scope = Literal["this", "future", "all"]
Answer = Literal["ACCEPTED", "TENTATIVE", "DECLINED"]


class Changed(msgspec.Struct, frozen=True):
    """What is stored in the place of the object (None: it is deleted), and another object besides."""

    data: bytes | None
    more: bytes | None = None


def component_at(series: Series, original: int | None) -> Tree:
    """What describes the instance at `original`; the master for None. Raises NotFoundError."""
    found = series.master if original is None else series.overrides.get(original) or instance_of(series, original)
    if found is None:
        raise NotFoundError("There is no such event")
    return found


def is_recurring(series: Series) -> bool:
    """Whether there are several instances."""
    master = series.master
    return master is not None and bool(master.all("RRULE") or master.all("RDATE"))


def change_event(
    data: bytes, original: int | None, scope: Scope, form: EventForm, me: str, now: float, bounds: ContentBounds
) -> Changed:
    """Write a form into an event. Raises InvalidError, NotFoundError, ContentError."""
    series = read_series(data, bounds)
    if original is None or scope == "all" or not is_recurring(series):
        return _change_all(series, original, form, me, now)
    if scope == "this":
        component = component_at(series, original)
        fill(component, form, me, now, keeps_rule=True)
        component.remove("RRULE")
        add_zone(series.calendar, form)
        series.add(component)
        return Changed(series.calendar.octets())
    if _is_first(series, original):
        return _change_all(series, original, form, me, now)
    _, more = new_calendar(form, me, now)
    _end_before(series, original)
    return Changed(series.calendar.octets(), more)


def _change_all(series: Series, original: int | None, form: EventForm, me: str, now: float) -> Changed:
    master = series.master
    if master is None:
        component = component_at(series, original)
        fill(component, form, me, now, keeps_rule=True)
        add_zone(series.calendar, form)
        return Changed(series.calendar.octets())
    start = master.first("DTSTART")
    if start is not None and original is not None and original != series.instant(start):
        form = _moved_to_first(series, start, original, form)
    fill(master, form, me, now)
    add_zone(series.calendar, form)
    after = master.first("DTSTART")
    if start is not None and after is not None and series.overrides and moment_of(start) != moment_of(after):
        # instances are named by the time that they had: changed ones would stand beside those in their place
        for key in list(series.overrides):
            series.drop(key)
        master.remove("EXDATE")
    return Changed(series.calendar.octets())


def _moved_to_first(series: Series, start: ContentLine, original: int, form: EventForm) -> EventForm:
    """A form that was filled in for a later instance, as it is for the first."""
    instance = instance_of(series, original)
    shown = None if instance is None else instance.first("DTSTART")
    if shown is None:
        return form
    shift = moment_of(start).wall.date() - moment_of(shown).wall.date()

    def moved(day: str) -> str:
        return f"{datetime.fromisoformat(day) + shift:%Y-%m-%d}" if day else day

    return msgspec.structs.replace(form, start_day=moved(form.start_day), end_day=moved(form.end_day))


def _is_first(series: Series, original: int) -> bool:
    start = None if series.master is None else series.master.first("DTSTART")
    return start is not None and series.instant(start) == original


def _end_before(series: Series, original: int) -> None:
    """Let a series end before the instance at `original`."""
    master = series.master
    start = None if master is None else master.first("DTSTART")
    if master is None or start is None:
        raise InvalidError("This event does not repeat")
    moment = moment_of(start)
    instance = instance_of(series, original)
    named = None if instance is None else instance.first("DTSTART")
    if named is None:
        raise NotFoundError("There is no such event")
    if moment.is_date:
        until = written(moment_of(named).wall - timedelta(days=1), "date")
    else:
        until = f"{datetime.fromtimestamp(original - 1, ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}"

    def ended(line: ContentLine) -> ContentLine:
        parts = [
            one for one in line.value.split(";") if one.partition("=")[0].strip().upper() not in ("UNTIL", "COUNT")
        ]
        return ContentLine("RRULE", ";".join([*parts, f"UNTIL={until}"]), line.parameters)

    master.replace("RRULE", ended)
    for key in [key for key in series.overrides if key >= original]:
        series.drop(key)


def remove_event(data: bytes, original: int | None, scope: Scope, bounds: ContentBounds) -> Changed:
    """Take away an instance, it and all that follow, or all. Raises InvalidError, NotFoundError, ContentError."""
    series = read_series(data, bounds)
    if original is None or scope == "all" or not is_recurring(series):
        return Changed(None)
    if scope == "future":
        if _is_first(series, original):
            return Changed(None)
        _end_before(series, original)
        return Changed(series.calendar.octets())
    instance = instance_of(series, original)
    named = None if instance is None else instance.first("RECURRENCE-ID")
    if named is None or series.master is None:
        raise NotFoundError("There is no such event")
    series.drop(original)
    exclude(series.master, named)
    return Changed(series.calendar.octets())


def answer_event(
    data: bytes, original: int | None, answer: Answer, own: frozenset[str], bounds: ContentBounds
) -> bytes:
    """Answer for one instance, or for all (None). Raises NotFoundError, ContentError."""
    series = read_series(data, bounds)
    if original is None or not is_recurring(series):
        components = list(series.components)
    else:
        component = component_at(series, original)
        series.add(component)
        components = [component]
    found = False
    for component in components:
        found = found or any(bare(line.value) in own for line in component.all("ATTENDEE"))
        component.replace("ATTENDEE", lambda line: _answered(line, answer, own))
    if not found:
        raise NotFoundError("You are not invited to this event")
    return series.calendar.octets()


def _answered(line: ContentLine, answer: Answer, own: frozenset[str]) -> ContentLine:
    if bare(line.value) not in own:
        return line
    return with_parameter(with_parameter(line, "PARTSTAT", answer), "RSVP", None)
