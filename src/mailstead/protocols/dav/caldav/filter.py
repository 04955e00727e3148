"""C:filter as it is written (RFC 4791 §9.7)."""

import msgspec

from mailstead.protocols.dav.caldav.time_range import time_range
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.text_match import TextMatch, text_match
from mailstead.protocols.dav.xml.reader import Element

Range = tuple[int, int]
_COMPONENTS = frozenset(
    ("VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM", "VTIMEZONE", "STANDARD", "DAYLIGHT")
)
_TIMED = frozenset(("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM"))


class ParameterFilter(msgspec.Struct, frozen=True):
    """A condition on a parameter."""

    name: str
    is_absent: bool
    text: TextMatch | None


class PropertyFilter(msgspec.Struct, frozen=True):
    """Conditions on a property, all of which one of that name meets."""

    name: str
    is_absent: bool
    range: Range | None
    text: TextMatch | None
    parameters: tuple[ParameterFilter, ...]


class ComponentFilter(msgspec.Struct, frozen=True):
    """Conditions on a component, all of which one of that name meets."""

    name: str
    is_absent: bool
    range: Range | None
    properties: tuple[PropertyFilter, ...]
    components: "tuple[ComponentFilter, ...]"

    @property
    def is_bare(self) -> bool:
        """Whether that name is all it asks for."""
        return not (self.is_absent or self.range or self.properties or self.components)


def parse_filter(element: Element | None) -> ComponentFilter:
    """The filter of VCALENDAR. Raises DavError."""
    inner = element.all(c("comp-filter")) if element is not None else []
    if len(inner) != 1 or inner[0].attributes.get("name", "").upper() != "VCALENDAR":
        raise _invalid("A filter begins with VCALENDAR")
    found = _component(inner[0])
    if found.range is not None:
        raise _invalid("VCALENDAR has no time")
    return found


def _invalid(text: str) -> DavError:
    return DavError(400, text, c("valid-filter"))


def _name(element: Element) -> str:
    name = element.attributes.get("name", "").strip().upper()
    if not name:
        raise _invalid("A filter has a name")
    return name


def _component(element: Element) -> ComponentFilter:
    name = _name(element)
    if name not in _COMPONENTS and not name.startswith("X-"):
        raise DavError(403, f"There is no filter of {name[:40]}", c("supported-filter"))
    absent = element.first(c("is-not-defined")) is not None
    span = element.first(c("time-range"))
    if absent and len(element.children) > 1:
        raise _invalid("What is not defined has no other condition")
    if span is not None and name not in _TIMED:
        raise _invalid(f"{name} has no time")
    return ComponentFilter(
        name,
        absent,
        time_range(span) if span is not None else None,
        tuple(_property(one) for one in element.all(c("prop-filter"))),
        tuple(_component(one) for one in element.all(c("comp-filter"))),
    )


def _text(element: Element) -> TextMatch | None:
    found = element.first(c("text-match"))
    if found is None:
        return None
    return text_match(found, "i;ascii-casemap", c("supported-collation"), c("valid-filter"))


def _property(element: Element) -> PropertyFilter:
    span = element.first(c("time-range"))
    return PropertyFilter(
        _name(element),
        element.first(c("is-not-defined")) is not None,
        time_range(span) if span is not None else None,
        _text(element),
        tuple(
            ParameterFilter(_name(one), one.first(c("is-not-defined")) is not None, _text(one))
            for one in element.all(c("param-filter"))
        ),
    )
