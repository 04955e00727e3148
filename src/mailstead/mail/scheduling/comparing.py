"""What changed between two descriptions of an event: words, or times (RFC 6638 §3.2.8)."""

from collections.abc import Iterator

from msgspec.structs import replace

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.icalendar.rule import Rule, parse_rule
from mailstead.formats.icalendar.values import DAY, moment_of, parse_duration
from mailstead.mail.scheduling.calendar_user import bare, parameter
from mailstead.mail.scheduling.series import Series

# What changes without anything being different for those invited
_SILENT = frozenset(("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "REQUEST-STATUS", "EXDATE"))
_PERSONAL = ("PARTSTAT", "RSVP", "SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND", "X-NUM-GUESTS")
_PLAIN = {"STATUS": "CONFIRMED", "PRIORITY": "0", "CLASS": "PUBLIC"}


def essence(component: Tree) -> frozenset[ContentLine]:
    """What those who are invited are told: without marks of time, alarms, answers, and words of clients to themselves."""
    return frozenset(_essential(component))


def _essential(component: Tree) -> Iterator[ContentLine]:
    for line in component.lines:
        if line.name in _SILENT or line.name.startswith("X-") or not line.value.strip():
            continue
        if line.name in ("ATTENDEE", "ORGANIZER"):
            kept = tuple(sorted(one for one in line.parameters if one[0] not in _PERSONAL))
            yield ContentLine(line.name, bare(line.value), kept)
        elif line.name in _PLAIN and line.value.strip().upper() == _PLAIN[line.name]:
            continue
        else:
            yield ContentLine(line.name, line.text.strip(), tuple(sorted(line.parameters)))


def length_of(series: Series, component: Tree) -> int | None:
    """Seconds from the start to DTEND, DUE or the end of DURATION; None without a start. Raises ContentError."""
    start = component.first("DTSTART")
    if start is None:
        return None
    for name in ("DTEND", "DUE"):
        end = component.first(name)
        if end is not None:
            return series.instant(end) - series.instant(start)
    duration = component.first("DURATION")
    if duration is not None:
        length = parse_duration(duration.value)
        return length.days * DAY + length.seconds
    return DAY if moment_of(start).is_date else 0


def is_moved(old_series: Series, old: Tree, new_series: Series, new: Tree) -> bool:
    """Whether a component takes place at another time, or at more times than it did (RFC 6638 §3.2.8).

    Raises ContentError.
    """
    before, after = old.first("DTSTART"), new.first("DTSTART")
    if (before is None) != (after is None):
        return True
    if before is not None and after is not None:
        first, second = moment_of(before), moment_of(after)
        if old_series.zones.instant(first) != new_series.zones.instant(second) or first.is_date != second.is_date:
            return True
        if new.first("RRULE") is not None and first.zone != second.zone:
            return True  # instances of another season move
    if before is None and old.value("DUE") != new.value("DUE"):
        return True
    if length_of(old_series, old) != length_of(new_series, new):
        return True
    if set(new_series.moments(new, "RDATE")) - set(old_series.moments(old, "RDATE")):
        return True
    if set(old_series.moments(old, "EXDATE")) - set(new_series.moments(new, "EXDATE")):
        return True
    return _recurs_more(old_series, old, new_series, new)


def _recurs_more(old_series: Series, old: Tree, new_series: Series, new: Tree) -> bool:
    before, after = (
        [parse_rule(one.value) for one in old.all("RRULE")],
        [parse_rule(one.value) for one in new.all("RRULE")],
    )
    if not after or before == after:
        return False
    if len(before) != 1 or len(after) != 1:
        return True
    first, second = before[0], after[0]
    if _endless(first) != _endless(second):
        return True
    if second.count is not None:
        return first.count is None or second.count > first.count or first.until is not None
    if second.until is None:
        return first.until is not None or first.count is not None
    if first.until is None:
        return first.count is not None
    return new_series.zones.instant(second.until) > old_series.zones.instant(first.until)


def _endless(rule: Rule) -> Rule:
    return replace(rule, count=None, until=None)


def is_rescheduled_instance(old_series: Series, key: int, new_series: Series, new: Tree) -> bool:
    """As is_moved, for an instance that the master described until now. Raises ContentError."""
    start, master = new.first("DTSTART"), old_series.master
    if start is None or master is None:
        return True
    return new_series.instant(start) != key or length_of(old_series, master) != length_of(new_series, new)


def changes_sequence(old_series: Series, old: Tree, new_series: Series, new: Tree) -> bool:
    """Whether a revision has to have a greater SEQUENCE (RFC 5546 §2.1.4). Raises ContentError."""
    if is_moved(old_series, old, new_series, new):
        return True
    rules = [{one.value.strip().upper() for one in component.all("RRULE")} for component in (old, new)]
    dates = [
        (set(series.moments(component, "RDATE")), set(series.moments(component, "EXDATE")))
        for series, component in ((old_series, old), (new_series, new))
    ]
    return rules[0] != rules[1] or dates[0] != dates[1] or is_cancelled(old) != is_cancelled(new)


def is_cancelled(component: Tree) -> bool:
    """STATUS:CANCELLED."""
    return component.value("STATUS").upper() == "CANCELLED"


def sequence(component: Tree) -> int:
    """SEQUENCE; 0 without one that is a number."""
    text = component.value("SEQUENCE")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def answers(component: Tree) -> dict[str, str]:
    """PARTSTAT by bare address."""
    return {bare(line.value): parameter(line, "PARTSTAT", "NEEDS-ACTION") for line in component.all("ATTENDEE")}
