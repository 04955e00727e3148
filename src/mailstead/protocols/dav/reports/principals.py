"""Reports about principals (RFC 3744 §9): search, match, and those that DAV:acl names."""

from collections.abc import AsyncIterator, Callable

from mailstead.protocols.dav.access import WRITE_ACL
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import XML, Response
from mailstead.protocols.dav.multistatus import Answer, multistatus, selection
from mailstead.protocols.dav.names import DECLARATIONS, c, d, s
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, Home, ObjectResource, Principal, Resource, Root
from mailstead.protocols.dav.tree import existing
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import element

_SEARCHED: dict[str, tuple[str, Callable[[Principal], list[str]]]] = {
    d("displayname"): ("Name", lambda one: [one.name]),
    s("email-address-set"): ("E-mail address", lambda one: [one.address]),
    c("calendar-user-address-set"): ("Calendar address", lambda one: [f"mailto:{one.address}", one.href]),
    c("calendar-user-type"): ("Kind", lambda _: ["INDIVIDUAL"]),
}


async def _answered(exchange: Exchange, table: PropertyTable, root: Element, principals: list[Resource]) -> Response:
    selected = selection(root)
    answer = Answer(View(exchange, selected.asked), table, selected)

    async def chunks() -> AsyncIterator[bytes]:
        if principals:
            yield await answer.render(principals)

    return await multistatus(chunks())


async def principal_property_search(exchange: Exchange, table: PropertyTable, _: Resource, root: Element) -> Response:
    """Principals whose properties have a text in them (RFC 3744 §9.4). Raises DavError."""
    if exchange.request.header("depth") not in ("", "0"):
        raise DavError(400, "Depth of this report is 0")
    searches: list[tuple[list[str], str]] = []
    for one in root.all(d("property-search")):
        props, text = one.first(d("prop")), one.text_of(d("match"))
        if props is None or text is None:
            raise DavError(400, "A search has properties and a text")
        searches.append(([prop.tag for prop in props.children], text.casefold()))
    if not searches:
        raise DavError(400, "There is nothing to search for")
    join = any if root.attributes.get("test") == "anyof" else all
    found: list[Resource] = [
        one
        for one in await exchange.services.access.principals(exchange)
        if join(_has(one, names, text) for names, text in searches)
    ]
    return await _answered(exchange, table, root, found)


def _has(principal: Principal, names: list[str], text: str) -> bool:
    """Whether each of the properties has the text in it (RFC 3744 §9.4)."""
    known = [_SEARCHED[name][1](principal) for name in names if name in _SEARCHED]
    return len(known) == len(names) and all(any(text in value.casefold() for value in values) for values in known)


async def principal_search_property_set(_: Exchange, __: PropertyTable, ___: Resource, ____: Element) -> Response:
    """The properties that can be searched (RFC 3744 §9.5)."""
    entries = "".join(
        f"<D:principal-search-property><D:prop>{element(name)}</D:prop>"
        f'<D:description xml:lang="en">{words}</D:description></D:principal-search-property>'
        for name, (words, _values) in _SEARCHED.items()
    )
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<D:principal-search-property-set{DECLARATIONS}>{entries}'
        "</D:principal-search-property-set>\n"
    )
    return Response(200, (), body.encode(), XML)


async def principal_match(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """What in a collection is who asks, or belongs to who asks (RFC 3744 §9.3). Raises DavError."""
    own = await existing(exchange, Principal(exchange.account.address, "", True).href)
    if root.first(d("self")) is not None:
        is_in = isinstance(resource, Root) or resource.href == own.href
        return await _answered(exchange, table, root, [own] if is_in else [])
    if root.first(d("principal-property")) is None:
        raise DavError(400, "Either DAV:self or DAV:principal-property")
    mine: list[Resource] = []
    match resource:
        case Home(holder=holder) if holder.address == exchange.account.address:
            mine = [resource]
        case CollectionResource(owner=owner) if owner == exchange.account.address:
            mine = [resource]
    return await _answered(exchange, table, root, mine)


async def acl_principal_prop_set(
    exchange: Exchange, table: PropertyTable, resource: Resource, root: Element
) -> Response:
    """Properties of the principals that DAV:acl of a resource names (RFC 3744 §9.2)."""
    collection = resource.collection if isinstance(resource, ObjectResource) else resource
    found: list[Resource] = []
    match collection:
        case Home(holder=holder):
            owner = holder.address
        case CollectionResource(owner=owner, rights=rights):
            if WRITE_ACL in rights:
                found = [one for one, _ in await exchange.services.access.shared_with(exchange, collection)]
        case _:
            return await _answered(exchange, table, root, [])
    principal = await exchange.services.access.principal(exchange, owner)
    return await _answered(exchange, table, root, [*([] if principal is None else [principal]), *found])
