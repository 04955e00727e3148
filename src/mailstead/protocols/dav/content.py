"""What a collection takes: octets of a request become an object, or a refusal by the precondition that a standard names.

RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1.
"""

import secrets
from collections.abc import Sequence

from mailstead.formats.content_lines.component import ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import CalendarObject, calendar_object
from mailstead.formats.icalendar.occurrences import ExpansionBounds, extent, occurrences
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.zones import Zones
from mailstead.formats.vcard.card import read_card
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import a, c
from mailstead.protocols.dav.resources import CollectionResource
from mailstead.stores.mailbox.dav.records import NewObject

_YEAR = 366 * 86400
_ANY_TYPES = ("", "application/octet-stream", "text/plain")
_VCARD_TYPES = ("text/vcard", "text/x-vcard", "text/directory", "application/vcard")


def content_bounds(settings: DavSettings) -> ContentBounds:
    """How much of an object is read."""
    return ContentBounds(settings.object_size, settings.object_depth, settings.object_lines)


def expansion_bounds(settings: DavSettings) -> ExpansionBounds:
    """What recurrence may cost."""
    return ExpansionBounds(settings.recurrence_steps, settings.recurrence_dates)


def too_large(kind: str, settings: DavSettings, *, closes: bool = False) -> DavError:
    """The refusal of an object, for a collection of some kind, that is larger than allowed."""
    condition = {"calendar": c("max-resource-size"), "addressbook": a("max-resource-size")}.get(kind, "")
    status = 403 if condition else 413
    return DavError(status, f"An object has at most {settings.object_size} octets", condition, closes=closes)


def new_object(
    collection: CollectionResource, name: str, data: bytes, content_type: str, settings: DavSettings
) -> NewObject:
    """The object to be stored. Raises DavError."""
    if len(data) > settings.object_size:
        raise too_large(collection.kind.kind, settings)
    media_type = content_type.partition(";")[0].strip().lower()
    match collection.kind.kind:
        case "calendar":
            if media_type != "text/calendar" and media_type not in _ANY_TYPES:
                raise DavError(415, "A calendar takes text/calendar", c("supported-calendar-data"))
            return calendar_content(collection.record.components, name, data, settings)
        case "addressbook":
            return _card(name, data, media_type, settings)
    return NewObject(name, name, media_type[:100], data)


def new_name(kind: str) -> str:
    """A name for an object whose client leaves it to the server (RFC 5995)."""
    return secrets.token_hex(16) + {"calendar": ".ics", "addressbook": ".vcf"}.get(kind, "")


def calendar_content(components: Sequence[str], name: str, data: bytes, settings: DavSettings) -> NewObject:
    """An object for a calendar that takes `components` (none: all of them). Raises DavError."""
    try:
        roots = read_components(data, content_bounds(settings))
    except ContentError as error:
        raise DavError(403, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    if len(roots) != 1 or roots[0].name != "VCALENDAR":
        raise DavError(403, "Exactly one VCALENDAR is wanted", c("valid-calendar-data"))
    try:
        found = calendar_object(roots[0])
    except ContentError as error:
        raise DavError(403, str(error), c("valid-calendar-object-resource")) from None
    if components and found.kind not in components:
        raise DavError(403, f"This calendar takes no {found.kind}", c("supported-calendar-component"))
    zones = Zones(found.calendar)
    try:
        span = extent(found, zones)
        _check_instances(found, zones, span.start if span is not None else None, settings)
    except ContentError as error:
        raise DavError(403, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    start, end = (None, None) if span is None else (span.start, span.end)
    return NewObject(name, found.uid, found.kind, data, start, end)


def _check_instances(found: CalendarObject, zones: Zones, start: int | None, settings: DavSettings) -> None:
    """Raises DavError for more instances within a year than allowed, and for a rule that is too costly to follow."""
    master = found.master
    if start is None or master is None or master.first("RRULE") is None:
        return
    refused = DavError(403, f"An object has at most {settings.instances} instances within a year", c("max-instances"))
    try:
        seen = occurrences(found, zones, start, start + _YEAR, expansion_bounds(settings))
    except RecurrenceLimitError:
        raise refused from None
    if len(seen) > settings.instances:
        raise refused


def _card(name: str, data: bytes, media_type: str, settings: DavSettings) -> NewObject:
    if media_type not in _VCARD_TYPES and media_type not in _ANY_TYPES:
        raise DavError(415, "An address book takes text/vcard", a("supported-address-data"))
    try:
        card = read_card(data, content_bounds(settings))
    except ContentError as error:
        raise DavError(403, f"Not a vCard: {error}", a("valid-address-data")) from None
    return NewObject(name, card.uid, "VCARD", data)
