"""Many events in one file, and one file taken apart: for export, import, and calendars published or subscribed to."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree, read_tree
from mailstead.formats.content_lines.write import text_line
from mailstead.formats.icalendar.calendar_object import ENTRIES

_PRODID = "-//Mailstead//Mailstead//EN"
# What a published event tells of itself; people, links to meetings and notes stay with its owner
_PUBLIC = frozenset(
    (
        "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "DUE", "SUMMARY", "LOCATION", "DESCRIPTION", "RRULE", "RDATE",
        "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "SEQUENCE", "CATEGORIES", "URL", "GEO", "COLOR",
    )
)  # fmt: skip
_TIMES = frozenset(
    ("UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP")
)


class Part(msgspec.Struct, frozen=True):
    """One object of a calendar file."""

    uid: str
    kind: str
    data: bytes


def take_apart(data: bytes, bounds: ContentBounds) -> list[Part]:
    """The objects of a calendar file, in their order: components of one UID together, with the zones that they name.

    A component without UID gets one that is made from its octets: the same file gives the same objects. Raises
    ContentError for a file that is none; `bounds` are those of the file.
    """
    calendar = read_tree(data, bounds)
    if calendar.name != "VCALENDAR":
        raise ContentError("exactly one VCALENDAR is wanted")
    groups: dict[tuple[str, str], list[Tree]] = {}
    for component in calendar.components:
        if component.name not in ENTRIES:
            continue
        uid = component.text("UID")
        if not uid:
            uid = hashlib.sha256(component.octets()).hexdigest()[:32]
            component.add(text_line("UID", uid))
        groups.setdefault((uid, component.name), []).append(component)
    zones = {zone.value("TZID"): zone for zone in calendar.children("VTIMEZONE")}
    head = [line for line in calendar.lines if line.name in ("PRODID", "CALSCALE")]
    return [_part(uid, kind, head, zones, components) for (uid, kind), components in groups.items()]


def _part(uid: str, kind: str, head: list[ContentLine], zones: dict[str, Tree], components: list[Tree]) -> Part:
    made = Tree("VCALENDAR")
    made.add(ContentLine("VERSION", "2.0"), *head)
    if made.first("PRODID") is None:
        made.add(ContentLine("PRODID", _PRODID))
    made.items += [zones[name] for name in _zone_names(components) if name in zones]
    made.items += components
    return Part(uid, kind, made.octets())


def _zone_names(components: Iterable[Tree]) -> list[str]:
    names = (line.parameter("TZID") for one in components for line in one.lines)
    return list(dict.fromkeys(name for name in names if name is not None))


def put_together(
    objects: Iterable[bytes], bounds: ContentBounds, name: str = "", *, is_public: bool = False
) -> Iterator[bytes]:
    """A calendar file of objects, in pieces; each zone once, objects that cannot be read left out.

    With `is_public` private events are left out, of confidential ones only the times are told, and of no event more
    than what, when and where.
    """
    head = Tree("VCALENDAR")
    head.add(ContentLine("VERSION", "2.0"), ContentLine("PRODID", _PRODID))
    if name:
        head.add(text_line("X-WR-CALNAME", name))
    yield head.octets().removesuffix(head.end)
    seen: set[str] = set()
    for data in objects:
        try:
            calendar = read_tree(data, bounds)
        except ContentError:
            continue
        components = [one for one in calendar.components if one.name in ENTRIES]
        if is_public:
            components = [shown for one in components if (shown := _shown(one)) is not None]
        if not components:
            continue
        for zone in calendar.children("VTIMEZONE"):
            if zone.value("TZID") not in seen:
                seen.add(zone.value("TZID"))
                yield zone.octets()
        yield b"".join(one.octets() for one in components)
    yield head.end


def _shown(component: Tree) -> Tree | None:
    """What the public sees of a component (RFC 5545 §3.8.1.3)."""
    secrecy = component.value("CLASS").upper() or "PUBLIC"
    if secrecy not in ("PUBLIC", "CONFIDENTIAL"):
        return None
    wanted = _PUBLIC if secrecy == "PUBLIC" else _TIMES
    made = component.copy()
    made.items = [
        item for item in made.items if not isinstance(item, Tree) and item.content and item.content.name in wanted
    ]
    if secrecy == "CONFIDENTIAL":
        made.add(text_line("SUMMARY", "Busy"))
    return made
