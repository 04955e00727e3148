"""A message arrives: what it makes of the stored object (RFC 5546 §3.2, RFC 6638 §4)."""

from typing import Literal

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.icalendar.values import parse_moment
from mailstead.mail.scheduling.calendar_user import (
    NEEDS_ACTION,
    bare,
    find_attendee,
    organizer_of,
    partstat,
    with_parameter,
)
from mailstead.mail.scheduling.comparing import answers, essence, sequence
from mailstead.mail.scheduling.message import Method, Received, calendar_of
from mailstead.mail.scheduling.series import Series, exclude, instance_of, read_series

# "asked": it is for a person to decide; "refresh": the sender wants to be told the state of things
What = Literal["created", "updated", "cancelled", "answered", "asked", "refresh", "ignored"]
# What is the attendee's own in a copy (RFC 6638 §3.2.2.1)
_OWN_PROPERTIES = ("TRANSP", "PERCENT-COMPLETE", "COMPLETED", "CATEGORIES", "COLOR")


class Effect(msgspec.Struct, frozen=True):
    """What a message does: `data` is the object to be stored, None when it changes nothing.

    `tells` is whether the change is one that its owner wants to see, more than another attendee's answer; such a
    change gives the object a new Schedule-Tag (RFC 6638 §3.2.10).
    """

    what: What
    data: bytes | None = None
    tells: bool = False
    why: str = ""


def may_send(received: Received, sender: str, stored: bytes | None, bounds: ContentBounds) -> bool:
    """Whether `sender` is one whom such a message can come from: the organizer, or an attendee (RFC 5546 §6.1).

    An event that is stored knows its organizer better than the message. Raises ContentError.
    """
    series = received.series
    known = None if stored is None else read_series(stored, bounds)
    organizer = series.organizer
    if known is not None and known.organizer and known.organizer != organizer:
        return False
    if received.method in ("REPLY", "COUNTER", "REFRESH"):
        return all(find_attendee(one, (sender,)) is not None for one in series.components)
    if sender == organizer:
        return True
    return received.method == "REQUEST" and all(_delegates(one, sender) for one in series.components)


def _delegates(component: Tree, sender: str) -> bool:
    line = find_attendee(component, (sender,))
    return line is not None and partstat(line) == "DELEGATED" and bool(line.parameter_values("DELEGATED-TO"))


def receive(
    stored: bytes | None, received: Received, own: frozenset[str], sender: str, bounds: ContentBounds
) -> Effect:
    """The effect of a message, which `may_send` allowed, on the object that is stored (None: there is none).

    Raises ContentError.
    """
    known = None if stored is None else read_series(stored, bounds)
    method: Method = received.method
    if method == "REQUEST":
        return _request(known, received.series, own)
    if method == "ADD":
        return _add(known, received.series)
    if method == "CANCEL":
        return _cancel(known, received.series)
    if method == "REPLY":
        return _reply(known, received.series, own, sender)
    if known is None:
        return Effect("ignored", why="it is about an event that is not here")
    if method == "REFRESH":
        return Effect("refresh")
    return Effect("asked", tells=True)


def _request(known: Series | None, series: Series, own: frozenset[str]) -> Effect:
    if not any(find_attendee(one, own) for one in series.components):
        return Effect("ignored", why="the invitation names somebody else")
    if known is None:
        return Effect("created", calendar_of("", series, series.components), True)
    if organizer_of(known.first) in own:
        return Effect("ignored", why="the event is one's own")
    fresh = [one for one in series.components if not _is_older(one, known)]
    if not fresh:
        return Effect("ignored", why="it is older than what is known")
    before = dict(_all(known))
    if series.master is not None or all(one.value("STATUS").upper() == "CANCELLED" for one in known.components):
        made = Series(series.calendar.copy())
        made.calendar.remove("METHOD")
    else:
        made = known.copy()
        _add_zones(made, series)
        for one in fresh:
            made.add(one.copy())
            _include(made, one)
    tells = False
    for key, component in _all(made):
        was = before.get(key)
        if was is None:
            was = before.get(None) if key is not None else None
            tells = True
        elif essence(was) != essence(component) or _dates(known, was) != _dates(made, component):
            tells = True
        if was is not None:
            _keep_own(component, was, own)
    tells = tells or set(before) != {key for key, _ in _all(made)}
    data = made.calendar.octets()
    if data == known.calendar.octets():
        return Effect("ignored", why="nothing is new")
    return Effect("updated", data, tells)


def _all(series: Series) -> list[tuple[int | None, Tree]]:
    found: list[tuple[int | None, Tree]] = [] if series.master is None else [(None, series.master)]
    return found + list(series.overrides.items())


def _dates(series: Series, component: Tree) -> set[int]:
    return set(series.moments(component, "EXDATE"))


def _is_older(component: Tree, known: Series) -> bool:
    """By SEQUENCE, then DTSTAMP (RFC 5546 §2.1.5)."""
    named = component.first("RECURRENCE-ID")
    stored = known.get(None if named is None else known.instant(named))
    if stored is None:
        stored = known.master
        return stored is not None and sequence(component) < sequence(stored)
    if sequence(component) != sequence(stored):
        return sequence(component) < sequence(stored)
    return _stamp(component) < _stamp(stored)


def _stamp(component: Tree) -> str:
    line = component.first("DTSTAMP")
    return "" if line is None else f"{parse_moment(line.value).wall:%Y%m%d%H%M%S}"


def _keep_own(component: Tree, was: Tree, own: frozenset[str]) -> None:
    """Give a new description what is the attendee's own in the one before: alarms, and how one put it down."""
    alarms = [one.copy() for one in was.children("VALARM")]
    if alarms and not component.children("VALARM"):
        component.items += alarms
    for name in _OWN_PROPERTIES:
        lines = was.all(name)
        if lines and component.first(name) is None:
            component.add(*lines)
    marks = [one for one in was.lines if one.name.startswith("X-") and component.first(one.name) is None]
    component.add(*marks)
    mine = find_attendee(was, own)
    if mine is None:
        return

    def answer(line: ContentLine) -> ContentLine:
        # the organizer may not know of an answer that is under way; one who moves the event asks again
        if bare(line.value) not in own or partstat(line) != NEEDS_ACTION or partstat(mine) == NEEDS_ACTION:
            return line
        if sequence(component) > sequence(was):
            return line
        return with_parameter(line, "PARTSTAT", partstat(mine))

    component.replace("ATTENDEE", answer)


def _add_zones(made: Series, series: Series) -> None:
    have = {one.value("TZID") for one in made.calendar.children("VTIMEZONE")}
    for zone in series.calendar.children("VTIMEZONE"):
        if zone.value("TZID") not in have:
            place = next(
                (at for at, item in enumerate(made.calendar.items) if isinstance(item, Tree)), len(made.calendar.items)
            )
            made.calendar.items.insert(place, zone.copy())


def _include(made: Series, component: Tree) -> None:
    """An instance that was left out is told of again."""
    named = component.first("RECURRENCE-ID")
    if made.master is None or named is None:
        return
    at = made.instant(named)
    if at not in made.moments(made.master, "EXDATE"):
        return

    def without(line: ContentLine) -> ContentLine | None:
        zone = line.parameter("TZID") or ""
        kept = [one for one in line.value.split(",") if made.zones.instant(parse_moment(one, zone)) != at]
        return ContentLine(line.name, ",".join(kept), line.parameters) if kept else None

    made.master.replace("EXDATE", without)


def _add(known: Series | None, series: Series) -> Effect:
    """More instances of an event (RFC 5546 §3.2.4): each a date of the master with its own description."""
    if known is None or known.master is None:
        return Effect("refresh", why="instances are added to an event that is not here")
    made = known.copy()
    master = made.master
    if master is None:
        return Effect("ignored")
    _add_zones(made, series)
    for component in series.components:
        start = component.first("DTSTART")
        if start is None or sequence(component) < sequence(master):
            continue
        kept = tuple(one for one in start.parameters if one[0] in ("TZID", "VALUE"))
        master.add(ContentLine("RDATE", start.value, kept))
        added = component.copy()
        added.remove("RRULE", "RDATE", "EXDATE")
        added.set(ContentLine("RECURRENCE-ID", start.value, kept))
        made.add(added)
    return Effect("updated", made.calendar.octets(), True)


def _cancel(known: Series | None, series: Series) -> Effect:
    if known is None:
        return Effect("ignored", why="it is about an event that is not here")
    made = known.copy()
    changed = False
    for component in series.components:
        if _is_older(component, known):
            continue
        named = component.first("RECURRENCE-ID")
        if named is None:
            for stored in made.components:
                stored.set(ContentLine("STATUS", "CANCELLED"))
                stored.set(ContentLine("SEQUENCE", str(max(sequence(stored), sequence(component)))))
            changed = True
            continue
        key = made.instant(named)
        if made.master is not None:
            if key not in made.moments(made.master, "EXDATE"):
                exclude(made.master, _as_start(made, key, named))
                changed = True
            made.drop(key)
        elif key in made.overrides:
            stored = made.overrides[key]
            stored.set(ContentLine("STATUS", "CANCELLED"))
            stored.set(ContentLine("SEQUENCE", str(max(sequence(stored), sequence(component)))))
            changed = True
    if not changed:
        return Effect("ignored", why="nothing of it is left to be cancelled")
    return Effect("cancelled", made.calendar.octets(), True)


def _as_start(series: Series, key: int, named: ContentLine) -> ContentLine:
    """RECURRENCE-ID in the zone and form of the master's start, which clients match EXDATE with."""
    component = instance_of(series, key)
    line = None if component is None else component.first("RECURRENCE-ID")
    return named if line is None else line


def _reply(known: Series | None, series: Series, own: frozenset[str], sender: str) -> Effect:
    if known is None:
        return Effect("ignored", why="it is about an event that is not here")
    if organizer_of(known.first) not in own:
        return Effect("ignored", why="the event is another's")
    made = known.copy()
    found = False
    changed = False
    for component in series.components:
        line = find_attendee(component, (sender,))
        named = component.first("RECURRENCE-ID")
        if line is None:
            continue
        key = None if named is None else made.instant(named)
        stored = made.get(key)
        if stored is None and key is not None:
            stored = _instance(made, key)
        if stored is None:
            continue
        invited = find_attendee(stored, (sender,))
        if invited is None:
            invited = _as_delegate(stored, line)
        if invited is None or sequence(component) < sequence(stored):
            continue
        found = True
        before = answers(stored)
        _note(stored, line, component, sender)
        if key is not None and stored is not made.get(key) and answers(stored) != before:
            made.add(stored)
        changed = changed or answers(stored) != before
    if not found:
        return Effect("ignored", why="it is from somebody who was not asked, or about an older revision")
    data = made.calendar.octets()
    return Effect("answered", None if data == known.calendar.octets() else data, changed)


def _instance(series: Series, key: int) -> Tree | None:
    """The instance at `key`, unless the event does not take place then."""
    if series.master is None or key in series.moments(series.master, "EXDATE"):
        return None
    return instance_of(series, key)


def _as_delegate(stored: Tree, line: ContentLine) -> ContentLine | None:
    """The line of one to whom an attendee delegated, put into the event."""
    for one in line.parameter_values("DELEGATED-FROM"):
        if find_attendee(stored, (bare(one),)) is not None:
            stored.add(line)
            return line
    return None


def _note(stored: Tree, line: ContentLine, component: Tree, sender: str) -> None:
    """Put an answer down (RFC 6638 §4.2), and those that it delegates to."""
    codes = [one.value.partition(";")[0].strip() for one in component.all("REQUEST-STATUS")]
    status = ",".join(code for code in codes if code) or "2.0"

    def answer(one: ContentLine) -> ContentLine:
        if bare(one.value) != sender:
            return one
        made = with_parameter(one, "PARTSTAT", partstat(line))
        made = with_parameter(made, "SCHEDULE-STATUS", status)
        for name in ("DELEGATED-TO", "DELEGATED-FROM"):
            given = line.parameter(name)
            if given is not None:
                made = with_parameter(made, name, given)
        return with_parameter(made, "RSVP", None) if partstat(line) != NEEDS_ACTION else made

    stored.replace("ATTENDEE", answer)
    if partstat(line) != "DELEGATED":
        return
    for address in line.parameter_values("DELEGATED-TO"):
        if find_attendee(stored, (bare(address),)) is None:
            told = find_attendee(component, (bare(address),))
            stored.add(
                told
                if told is not None
                else ContentLine("ATTENDEE", address, (("DELEGATED-FROM", (line.value,)), ("RSVP", ("TRUE",))))
            )
