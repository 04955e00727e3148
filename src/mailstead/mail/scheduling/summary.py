"""A message of iTIP in words: the subject and text of the mail that carries it."""

from datetime import datetime, timedelta

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.icalendar.rule import parse_rule
from mailstead.formats.icalendar.values import DAY, Moment, moment_of, parse_duration
from mailstead.mail.scheduling.calendar_user import bare, find_attendee, partstat
from mailstead.mail.scheduling.comparing import sequence
from mailstead.mail.scheduling.message import Method
from mailstead.mail.scheduling.series import Series

_SUBJECTS: dict[Method, str] = {
    "CANCEL": "Cancelled",
    "ADD": "More dates",
    "REFRESH": "Please send again",
    "COUNTER": "Another time proposed",
    "DECLINECOUNTER": "Proposal declined",
    "PUBLISH": "Event",
}
_ANSWERS = {
    "ACCEPTED": "Accepted",
    "DECLINED": "Declined",
    "TENTATIVE": "Tentatively accepted",
    "DELEGATED": "Delegated",
}
_SENTENCES: dict[Method, str] = {
    "CANCEL": "{name} has cancelled this event.",
    "ADD": "{name} has added dates to this event.",
    "REFRESH": "{name} asks to be sent this event again.",
    "COUNTER": "{name} proposes this time.",
    "DECLINECOUNTER": "{name} keeps to the time of this event.",
    "PUBLISH": "{name} tells you of this event.",
}
_EVERY = {
    "DAILY": ("day", "days"),
    "WEEKLY": ("week", "weeks"),
    "MONTHLY": ("month", "months"),
    "YEARLY": ("year", "years"),
}
_MOST_PEOPLE = 50
_MOST_TEXT = 8000


def subject_of(method: Method, series: Series, sender: str) -> str:
    """The subject of the mail."""
    component = series.first
    title = one_line(component.text("SUMMARY")) or "Event"
    if method == "REQUEST":
        return f"{'Updated invitation' if sequence(component) else 'Invitation'}: {title}"
    if method == "REPLY":
        line = find_attendee(component, (sender,))
        return f"{_ANSWERS.get('' if line is None else partstat(line), 'Answer')}: {title}"
    return f"{_SUBJECTS[method]}: {title}"


def text_of(method: Method, series: Series, sender: str) -> str:
    """The text of the mail. Raises ContentError for times that are none."""
    first = series.first
    parts = [_sentence(method, first, sender), ""]
    for component in series.components:
        parts += _described(component)
        parts.append("")
    if method in ("REQUEST", "COUNTER"):
        parts += _people(first)
    description = first.text("DESCRIPTION").strip()
    if description and method != "REPLY":
        parts += [description[:_MOST_TEXT], ""]
    comment = first.text("COMMENT").strip()
    if comment:
        parts += [comment[:_MOST_TEXT], ""]
    return "\n".join(parts).rstrip() + "\n"


def _sentence(method: Method, component: Tree, sender: str) -> str:
    name = name_of(component, sender)
    if method == "REQUEST":
        return f"{name} {'has changed' if sequence(component) else 'invites you to'} this event."
    if method == "REPLY":
        line = find_attendee(component, (sender,))
        answer = "" if line is None else partstat(line)
        words = {
            "ACCEPTED": "will come.",
            "DECLINED": "will not come.",
            "TENTATIVE": "may come.",
            "DELEGATED": "sends somebody else.",
        }
        return f"{name} {words.get(answer, 'has not decided yet.')}"
    return _SENTENCES[method].format(name=name)


def name_of(component: Tree, address: str) -> str:
    """The name that a component has for an organizer or attendee; the address without one."""
    for line in (*component.all("ORGANIZER"), *component.all("ATTENDEE")):
        if bare(line.value) == address:
            name = one_line(line.parameter("CN") or "")
            if name:
                return name
    return address


def _described(component: Tree) -> list[str]:
    rows = [f"What:  {one_line(component.text('SUMMARY')) or 'Event'}"]
    when = when_text(component)
    if when:
        rows.append(f"When:  {when}")
    repeats = repeat_text(component)
    if repeats:
        rows.append(f"       {repeats}")
    place = one_line(component.text("LOCATION"))
    if place:
        rows.append(f"Where: {place}")
    return rows


def _people(component: Tree) -> list[str]:
    attendees = component.all("ATTENDEE")
    if not attendees:
        return []
    rows = ["Who:"]
    for line in attendees[:_MOST_PEOPLE]:
        address = bare(line.value)
        name = one_line(line.parameter("CN") or "")
        rows.append(f"  - {name} <{address}>" if name and name.lower() != address else f"  - {address}")
    if len(attendees) > _MOST_PEOPLE:
        rows.append(f"  - and {len(attendees) - _MOST_PEOPLE} more")
    return [*rows, ""]


def when_text(component: Tree) -> str:
    """The time in words, as the wall clock of the event's own zone shows it; empty without a start.

    Raises ContentError.
    """
    start = component.first("DTSTART")
    if start is None:
        return ""
    first = moment_of(start)
    last = _end(component, first)
    if first.is_date:
        final = last - timedelta(days=1) if last > first.wall else first.wall
        return _day(first.wall) if final.date() <= first.wall.date() else f"{_day(first.wall)} to {_day(final)}"
    zone = " UTC" if first.form == "utc" else f" ({first.zone})" if first.zone else ""
    if last == first.wall:
        return f"{_day(first.wall)}, {first.wall:%H:%M}{zone}"
    if last.date() == first.wall.date():
        return f"{_day(first.wall)}, {first.wall:%H:%M} to {last:%H:%M}{zone}"
    return f"{_day(first.wall)}, {first.wall:%H:%M} to {_day(last)}, {last:%H:%M}{zone}"


def _end(component: Tree, first: Moment) -> datetime:
    line = component.first("DTEND") or component.first("DUE")
    if line is not None:
        return max(moment_of(line).wall, first.wall)
    duration = component.first("DURATION")
    try:
        if duration is not None:
            length = parse_duration(duration.value)
            return first.wall + timedelta(seconds=max(length.days * DAY + length.seconds, 0))
        return first.wall + timedelta(days=int(first.is_date))
    except OverflowError:
        raise ContentError("an event is longer than time") from None


def _day(wall: datetime) -> str:
    return f"{wall:%A}, {wall.day} {wall:%B} {wall.year}"


def repeat_text(component: Tree) -> str:
    """How it repeats, in words; empty for what does not."""
    line = component.first("RRULE")
    if line is None:
        return ""
    rule = parse_rule(line.value)
    if rule.frequency not in _EVERY:
        return "repeats"
    one, many = _EVERY[rule.frequency]
    text = f"every {one}" if rule.interval == 1 else f"every {rule.interval} {many}"
    if rule.count is not None:
        return f"{text}, {rule.count} times"
    if rule.until is not None:
        return f"{text} until {_day(rule.until.wall)}"
    return text


def one_line(text: str) -> str:
    """Text without line breaks and control characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:500]
