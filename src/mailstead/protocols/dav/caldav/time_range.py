"""Ranges of time in requests, and zones that floating times are told in."""

from mailstead.formats.content_lines.component import ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.values import parse_moment, seconds_of
from mailstead.formats.icalendar.zones import Zone, named_zone, utc, zone_of
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.resources import CollectionResource
from mailstead.protocols.dav.xml.reader import Element, XmlBounds, XmlError, read_xml

EVER_SINCE, FOR_EVER = -(2**40), 2**40
_ZONE_BOUNDS = ContentBounds(size=256 * 1024, depth=4, lines=5000)


def time_range(element: Element, *, needs_both: bool = False) -> tuple[int, int]:
    """Start and end in seconds since 1970 (RFC 4791 §9.9). Raises DavError."""
    start, end = element.attributes.get("start"), element.attributes.get("end")
    if (start is None and end is None) or (needs_both and (start is None or end is None)):
        raise _invalid("A time-range has a start or an end")
    since = EVER_SINCE if start is None else _instant(start)
    until = FOR_EVER if end is None else _instant(end)
    if since >= until:
        raise _invalid("A time-range ends after its start")
    return since, until


def _instant(text: str) -> int:
    try:
        moment = parse_moment(text)
    except ContentError:
        moment = None
    if moment is None or moment.form != "utc":
        raise _invalid("A time-range is told in UTC")
    return seconds_of(moment.wall)


def _invalid(text: str) -> DavError:
    return DavError(400, text, c("valid-filter"))


def floating_zone(request: Element | None, collection: CollectionResource) -> Zone:
    """Where floating times are: the request's zone (by value or, RFC 7809 §3.1.3, by name), the calendar's, or UTC."""
    if request is not None:
        name = request.text_of(c("timezone-id"))
        if name is not None:
            zone = named_zone(name)
            if zone is None:
                raise DavError(403, "There is no such time zone", c("valid-timezone"))
            return zone
        text = request.text_of(c("timezone"))
        if text is not None:
            zone = _zone_of_text(text)
            if zone is None:
                raise DavError(403, "Not a time zone", c("valid-calendar-data"))
            return zone
    name = _stored(collection, c("calendar-timezone-id"))
    text = _stored(collection, c("calendar-timezone"))
    return (named_zone(name) if name else None) or (_zone_of_text(text) if text else None) or utc


def _stored(collection: CollectionResource, name: str) -> str:
    """The text of a property that was set."""
    value = collection.properties.get(name)
    if value is None:
        return ""
    try:
        return read_xml(value, XmlBounds()).text.strip()
    except XmlError:
        return ""


def _zone_of_text(text: str) -> Zone | None:
    try:
        roots = read_components(text.strip().encode("utf-8", "replace"), _ZONE_BOUNDS)
        zones = roots[0].children("VTIMEZONE") if roots else []
        return zone_of(zones[0]) if zones else None
    except ContentError:
        return None
