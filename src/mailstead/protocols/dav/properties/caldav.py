"""Properties of CalDAV: RFC 4791 §5.2 and §6.2.1, RFC 6638 §2.4.1, RFC 7809 §5, and those of Apple's clients."""

import re

from mailstead.formats.content_lines.component import ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import KINDS
from mailstead.formats.icalendar.zones import named_zone
from mailstead.protocols.dav.caldav.data import calendar_data
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.hrefs import href
from mailstead.protocols.dav.names import c, i, s
from mailstead.protocols.dav.properties.definition import Property
from mailstead.protocols.dav.properties.webdav import any_text
from mailstead.protocols.dav.resources import CollectionResource, Home, ObjectResource, Principal
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import attribute, escape

_CALENDAR = ("calendar",)
_ZONE_BOUNDS = ContentBounds(size=256 * 1024, depth=4, lines=5000)
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?\Z|[A-Za-z-]{1,40}\Z", re.ASCII)


def _home_set(_: View, resource: Principal) -> str:
    return f"<D:href>{escape(href(resource.address, 'calendars'))}</D:href>"


def _addresses(_: View, resource: Principal) -> str:
    return f"<D:href>mailto:{escape(resource.address)}</D:href><D:href>{escape(resource.href)}</D:href>"


def _user_type(_: View, __: Principal) -> str:
    return "INDIVIDUAL"


def _emails(_: View, resource: Principal) -> str:
    return f"<S:email-address>{escape(resource.address)}</S:email-address>"


def _components(_: View, resource: CollectionResource) -> str:
    names = resource.record.components or KINDS
    return "".join(f'<C:comp name="{attribute(name)}"/>' for name in names)


def _all_components(_: View, __: Home) -> str:
    return "".join(
        f'<C:supported-calendar-component-set><C:comp name="{name}"/></C:supported-calendar-component-set>'
        for name in KINDS
    )


def _data_types(_: View, __: CollectionResource) -> str:
    return '<C:calendar-data content-type="text/calendar" version="2.0"/>'


def _collations(_: View, __: CollectionResource) -> str:
    return "".join(
        f"<C:supported-collation>{name}</C:supported-collation>"
        for name in ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
    )


def _none(_: View, __: CollectionResource) -> None:
    return None


def _largest(view: View, _: CollectionResource) -> str:
    return str(view.exchange.settings.dav.object_size)


def _instances(view: View, _: CollectionResource) -> str:
    return str(view.exchange.settings.dav.instances)


def _check_zone(_: object, value: Element) -> None:
    try:
        roots = read_components(value.text.strip().encode(), _ZONE_BOUNDS)
    except ContentError as error:
        raise DavError(403, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    if len(roots) != 1 or roots[0].name != "VCALENDAR" or len(roots[0].children("VTIMEZONE")) != 1:
        raise DavError(403, "Exactly one VTIMEZONE is wanted", c("valid-calendar-data"))


def _check_zone_name(_: object, value: Element) -> None:
    """RFC 7809 §5.2: a zone that the server knows."""
    if named_zone(value.text.strip()) is None:
        raise DavError(403, "There is no such time zone", c("valid-timezone"))


def _check_color(_: object, value: Element) -> None:
    if value.children or not _COLOR.match(value.text.strip()):
        raise DavError(409, "Not a color")


def _check_order(_: object, value: Element) -> None:
    digits = value.text.strip().removeprefix("-")
    if value.children or not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        raise DavError(409, "Not a number")


def _check_transparency(_: object, value: Element) -> None:
    if len(value.children) != 1 or value.children[0].tag not in (c("opaque"), c("transparent")):
        raise DavError(409, "Either opaque or transparent")


def _data(view: View, resource: ObjectResource) -> str | None:
    octets = view.data.get(resource.row.id)
    return None if octets is None else calendar_data(view, octets)


def _opaque(_: View, __: CollectionResource) -> str:
    return "<C:opaque/>"


PROPERTIES = (
    Property(c("calendar-home-set"), (Principal,), _home_set),
    Property(c("calendar-user-address-set"), (Principal,), _addresses),
    Property(c("calendar-user-type"), (Principal,), _user_type),
    Property(s("email-address-set"), (Principal,), _emails),
    Property(c("supported-calendar-component-set"), (CollectionResource,), _components, kinds=_CALENDAR),
    Property(c("supported-calendar-component-sets"), (Home,), _all_components),
    Property(c("supported-calendar-data"), (CollectionResource,), _data_types, kinds=_CALENDAR),
    Property(c("supported-collation-set"), (CollectionResource,), _collations, kinds=_CALENDAR),
    Property(c("max-resource-size"), (CollectionResource,), _largest, kinds=_CALENDAR),
    Property(c("max-instances"), (CollectionResource,), _instances, kinds=_CALENDAR),
    Property(c("calendar-description"), (CollectionResource,), _none, kinds=_CALENDAR, check=any_text),
    Property(c("calendar-timezone"), (CollectionResource,), _none, kinds=_CALENDAR, check=_check_zone),
    Property(c("calendar-timezone-id"), (CollectionResource,), _none, kinds=_CALENDAR, check=_check_zone_name),
    Property(c("schedule-calendar-transp"), (CollectionResource,), _opaque, kinds=_CALENDAR, check=_check_transparency),
    Property(i("calendar-color"), (CollectionResource,), _none, check=_check_color),
    Property(i("calendar-order"), (CollectionResource,), _none, check=_check_order),
    Property(c("calendar-data"), (ObjectResource,), _data, kinds=(*_CALENDAR, "inbox"), needs_data=True),
)
