"""Messages of iTIP (RFC 5546 §1.4): how they are put together, and what a mail's text/calendar part holds."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree, TreeLine, read_tree
from mailstead.formats.content_lines.write import write_line
from mailstead.formats.icalendar.calendar_object import ENTRIES
from mailstead.formats.icalendar.values import wall_of
from mailstead.mail.scheduling.calendar_user import bare, without_scheduling
from mailstead.mail.scheduling.comparing import sequence
from mailstead.mail.scheduling.series import Series, written

Method = Literal["REQUEST", "REPLY", "CANCEL", "ADD", "REFRESH", "COUNTER", "DECLINECOUNTER", "PUBLISH"]
METHODS: tuple[Method, ...] = ("REQUEST", "REPLY", "CANCEL", "ADD", "REFRESH", "COUNTER", "DECLINECOUNTER", "PUBLISH")
PRODID = "-//Mailstead//Mailstead//EN"
# What an answer says of the event it is about (RFC 5546 §3.2.3)
_ANSWERED = frozenset(
    ("UID", "SEQUENCE", "ORGANIZER", "RECURRENCE-ID", "DTSTART", "DTEND", "DUE", "DURATION", "SUMMARY", "LOCATION")
)
_NOT_TOLD = ("REQUEST-STATUS", "DTSTAMP", "CREATED", "LAST-MODIFIED", "TRANSP")


class ItipMessage(msgspec.Struct, frozen=True):
    """A message from one calendar user to another, by their bare addresses; `data` is the calendar with its METHOD."""

    method: Method
    sender: str
    recipient: str
    uid: str
    data: bytes


class Outcome(msgspec.Struct, frozen=True):
    """What a change comes to: the object to be stored (None: deleted), and who is told what."""

    data: bytes | None
    messages: tuple[ItipMessage, ...] = ()
    is_scheduled: bool = False
    """Whether the object is one that the server schedules for."""


def stamp(now: float) -> ContentLine:
    """DTSTAMP."""
    return ContentLine("DTSTAMP", written(wall_of(int(now)), "utc"))


def calendar_of(method: str, series: Series, components: Iterable[Tree]) -> bytes:
    """A calendar of these components and the zones that they name, with the METHOD unless it is empty."""
    calendar = Tree("VCALENDAR")
    calendar.add(ContentLine("VERSION", "2.0"), ContentLine("PRODID", PRODID))
    if method:
        calendar.add(ContentLine("METHOD", method))
    chosen = list(components)
    names = {zone for one in chosen for line in one.lines if (zone := line.parameter("TZID")) is not None}
    calendar.items += [zone.copy() for zone in series.calendar.children("VTIMEZONE") if zone.value("TZID") in names]
    calendar.items += chosen
    return calendar.octets()


def told(component: Tree, now: float) -> Tree:
    """A component as it goes out: stamped, without alarms, states of delivery, and the sender's own TRANSP."""
    made = component.copy()
    made.remove(*_NOT_TOLD)
    made.remove_components("VALARM")
    for name in ("ATTENDEE", "ORGANIZER"):
        made.replace(name, without_scheduling)
    made.add(stamp(now))
    return made


def next_sequence(component: Tree) -> ContentLine:
    """SEQUENCE of the revision after this one."""
    return ContentLine("SEQUENCE", str(sequence(component) + 1))


def cancelled(component: Tree, recipient: str, now: float) -> Tree:
    """A component of a CANCEL for one attendee (RFC 5546 §3.2.5)."""
    made = told(component, now)
    made.set(ContentLine("STATUS", "CANCELLED"))
    made.set(next_sequence(component))
    if made.first("RECURRENCE-ID") is not None:
        made.remove("RRULE", "RDATE", "EXDATE")
    keep_attendees(made, {recipient})
    return made


def keep_attendees(component: Tree, addresses: set[str]) -> None:
    """Take away the attendees but these."""
    component.replace("ATTENDEE", lambda line: line if bare(line.value) in addresses else None)


def answered(component: Tree, lines: Sequence[ContentLine], now: float, extra: Sequence[ContentLine] = ()) -> Tree:
    """A component of a REPLY: what it answers, and the attendees that answer (RFC 5546 §3.2.3)."""
    made = Tree(component.name)
    kept = [line for line in component.lines if line.name in _ANSWERED]
    made.items = [
        TreeLine(write_line(line), line)
        for line in [*(without_scheduling(one) for one in kept), stamp(now), *map(without_scheduling, lines), *extra]
    ]
    return made


class Received(msgspec.Struct, frozen=True):
    """A message that was read."""

    method: Method
    series: Series
    kind: str


def read_message(data: bytes, bounds: ContentBounds) -> Received:
    """A message of iTIP about events, to-dos or journals. Raises ContentError."""
    calendar = read_tree(data, bounds)
    method = calendar.value("METHOD").upper()
    known = next((one for one in METHODS if one == method), None)
    if known is None:
        raise ContentError("the calendar has no METHOD that is known")
    series = Series(calendar)
    kinds = {one.name for one in series.components}
    identifiers = {one.text("UID") for one in series.components}
    if len(kinds) != 1 or not kinds <= set(ENTRIES) or len(identifiers) != 1 or not min(identifiers):
        raise ContentError("a message holds components of one kind and one UID")
    return Received(known, series, kinds.pop())
