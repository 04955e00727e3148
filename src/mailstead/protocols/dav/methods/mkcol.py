"""MKCOL, as it was and extended (RFC 4918 §9.3, RFC 5689), and MKCALENDAR (RFC 4791 §5.3.1)."""

from mailstead.formats.icalendar.calendar_object import KINDS
from mailstead.protocols.dav.access import BIND, need
from mailstead.protocols.dav.conditions import Conditions
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import XML, Response
from mailstead.protocols.dav.names import DECLARATIONS, c, d
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, Found, Home, Unmapped
from mailstead.protocols.dav.setting import Instruction, Refused, checked, instructions, propstats
from mailstead.protocols.dav.tree import of_home, target
from mailstead.protocols.dav.xml.reader import Element
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError
from mailstead.stores.mailbox.dav.trees import joined

_SET = c("supported-calendar-component-set")


def _body(exchange: Exchange) -> Element | None:
    """The request's XML; a body of any other kind is not understood (RFC 4918 §9.3). Raises DavError 415."""
    media_type = exchange.request.header("content-type").partition(";")[0].strip().lower()
    if exchange.request.body and media_type not in ("", "text/xml") and not media_type.endswith(("/xml", "+xml")):
        raise DavError(415, "The request's body is to be XML")
    return exchange.xml()


async def mkcol(exchange: Exchange, table: PropertyTable) -> Response:
    """Make a collection, with properties when the request has any. Raises DavError."""
    root = _body(exchange)
    if root is not None and root.tag != d("mkcol"):
        raise DavError(415, "The request's XML is not DAV:mkcol")
    found = await target(exchange, exchange.request.path)
    home, name = _place(found)
    asked = instructions(root) if root is not None else []
    types = _take(asked, d("resourcetype"))
    if types is not None and types.value is not None:
        wanted = {one.tag for one in types.value.children}
        if wanted != set(home.kind.resource_types):
            raise DavError(403, "No such collection can be made here", d("valid-resourcetype"))
    return await _make(exchange, table, home, name, asked, "D:mkcol-response")


async def mkcalendar(exchange: Exchange, table: PropertyTable) -> Response:
    """Make a calendar. Raises DavError."""
    root = _body(exchange)
    if root is not None and root.tag != c("mkcalendar"):
        raise DavError(415, "The request's XML is not C:mkcalendar")
    found = await target(exchange, exchange.request.path)
    home, name = _place(found, c("calendar-collection-location-ok"))
    if home.kind.kind != "calendar":
        raise DavError(403, "A calendar cannot be made here", c("calendar-collection-location-ok"))
    asked = instructions(root) if root is not None else []
    _take(asked, d("resourcetype"))
    return await _make(exchange, table, home, name, asked, "C:mkcalendar-response")


def _place(found: Found, condition: str = "") -> tuple[Home, str]:
    if not isinstance(found, Unmapped):
        raise DavError(405, "There is a resource of that name", d("resource-must-be-null"))
    match found.parent:
        case Home() as home:
            return home, found.name
        case CollectionResource(home=home, record=record) if record.kind == "files":
            return home, joined(record.name, found.name)
    raise DavError(403, "A collection cannot be made in this one", condition or d("valid-resourcetype"))


def _take(asked: list[Instruction], name: str) -> Instruction | None:
    """Take an instruction out of the list."""
    for one in asked:
        if one.name == name:
            asked.remove(one)
            return one
    return None


def _components(value: Element) -> tuple[str, ...] | None:
    """The components that a new calendar is to take; None for one that is not known."""
    names = tuple(one.attributes.get("name", "").upper() for one in value.all(c("comp")))
    return names if names and set(names) <= set(KINDS) else None


async def _make(
    exchange: Exchange, table: PropertyTable, home: Home, name: str, asked: list[Instruction], answer: str
) -> Response:
    need(home.rights, BIND, home.href)
    conditions = Conditions(exchange)
    dav = home.holder.mailbox.dav
    if len(await exchange.run_short(home.holder.mailbox, dav.collections, home.kind.kind)) >= (
        exchange.settings.dav.collections
    ):
        raise DavError(507, "There are as many collections as allowed", d("quota-not-exceeded"))
    wanted = _take(asked, _SET) if home.kind.kind == "calendar" else None
    components: tuple[str, ...] | None = ("VEVENT", "VTODO", "VJOURNAL") if home.kind.kind == "calendar" else ()
    refused: list[Refused] = []
    if wanted is not None and wanted.value is not None:
        components = _components(wanted.value)
        if components is None:
            refused.append(Refused(_SET, 403, c("supported-calendar-component")))
    model = of_home(home, Collection(0, home.kind.kind, name, components or (), 0, 0, 0), {})
    changes, more = checked(exchange, model, table, asked, {})
    refused += more
    told = [*asked, *([wanted] if wanted is not None else [])]
    if refused:
        return _told(424, answer, propstats(told, refused))
    properties = {key: value for key, value in changes.items() if value is not None}
    try:
        await exchange.run_write(
            home.holder.mailbox,
            dav.create_guarded,
            home.kind.kind,
            name,
            components or (),
            properties,
            exchange.now,
            conditions.without_etags,
        )
    except CollectionExistsError:
        raise DavError(405, "There is a resource of that name", d("resource-must-be-null")) from None
    headers = (("Cache-Control", "no-cache"),)
    if told and not exchange.is_minimal:
        return _told(201, answer, propstats(told, ()), headers)
    return Response(201, headers)


def _told(status: int, answer: str, content: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<{answer}{DECLARATIONS}>{content}</{answer}>\n'
    return Response(status, headers, body.encode(), XML)
