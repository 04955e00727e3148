"""One calendar object resource: what CalDAV takes (RFC 4791 §4.1), and what is known of it."""

import msgspec

from mailstead.formats.content_lines.component import Component, ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError

ENTRIES = ("VEVENT", "VTODO", "VJOURNAL")
"""What people put down, and invite to."""
KINDS = (*ENTRIES, "VFREEBUSY")
"""What a calendar object holds components of, one kind at a time (RFC 4791 §4.1)."""


class CalendarObject(msgspec.Struct, frozen=True):
    """A calendar whose components all are of one kind and have one UID: `master`, and its changed instances."""

    kind: str
    uid: str
    calendar: Component
    master: Component | None
    overrides: tuple[Component, ...]

    @property
    def components(self) -> tuple[Component, ...]:
        """All components but zones."""
        return self.overrides if self.master is None else (self.master, *self.overrides)


def read_calendar_object(data: bytes, bounds: ContentBounds, *, is_message: bool = False) -> CalendarObject:
    """The object of `data`. Raises ContentError when it is none that a calendar, or a message, may hold."""
    roots = read_components(data, bounds)
    if len(roots) != 1 or roots[0].name != "VCALENDAR":
        raise ContentError("exactly one VCALENDAR is wanted")
    return calendar_object(roots[0], is_message=is_message)


def calendar_object(calendar: Component, *, is_message: bool = False) -> CalendarObject:
    """A calendar as an object; only that of a message may have a METHOD (RFC 4791 §4.1). Raises ContentError."""
    if calendar.value("VERSION") != "2.0":
        raise ContentError("the VERSION of iCalendar is 2.0")
    if calendar.first("METHOD") is not None and not is_message:
        raise ContentError("a stored calendar has no METHOD")
    found = [one for one in calendar.components if one.name != "VTIMEZONE"]
    kinds = {one.name for one in found}
    if len(kinds) != 1 or not kinds <= set(KINDS):
        raise ContentError("a calendar object holds components of exactly one kind")
    identifiers = {_uid(one) for one in found}
    if len(identifiers) != 1 or not min(identifiers):
        raise ContentError("all components of a calendar object have one UID")
    masters = [one for one in found if one.first("RECURRENCE-ID") is None]
    if len(masters) > 1:
        raise ContentError("a calendar object has one component without RECURRENCE-ID")
    overrides = tuple(one for one in found if one.first("RECURRENCE-ID") is not None)
    return CalendarObject(kinds.pop(), identifiers.pop(), calendar, masters[0] if masters else None, overrides)


def _uid(component: Component) -> str:
    line = component.first("UID")
    return "" if line is None else line.text.strip()
