"""PUT (RFC 9110 §9.3.4, RFC 4791 §5.3.2, RFC 6352 §6.3.2), and POST that leaves the name to the server (RFC 5995)."""

from mailstead.protocols.dav.access import BIND, WRITE_CONTENT, need
from mailstead.protocols.dav.conditions import Conditions
from mailstead.protocols.dav.content import new_name, new_object
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Unmapped
from mailstead.protocols.dav.storing import is_large, mailbox_of, store
from mailstead.protocols.dav.tree import existing, target
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow


async def put(exchange: Exchange, _: PropertyTable) -> Response:
    """Store an object. Raises DavError."""
    found = await target(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    row: ObjectRow | None = None
    match found:
        case ObjectResource(collection=collection, row=row):
            need(found.rights, WRITE_CONTENT, found.href)
            name = row.name
        case Unmapped(parent=CollectionResource() as collection, name=name):
            need(collection.rights, BIND, collection.href)
        case Unmapped():
            raise DavError(409, "Objects are in collections")
        case _:
            raise DavError(405, "A collection cannot be stored")
    mailbox_of(collection)
    await conditions.check(found)
    return await store(exchange, collection, await _read(exchange, collection, name), row, conditions)


async def _read(exchange: Exchange, collection: CollectionResource, name: str) -> NewObject:
    request, settings = exchange.request, exchange.settings.dav
    if request.header("content-range"):
        raise DavError(400, "An object is stored whole")  # RFC 9110 §14.5
    content_type = request.header("content-type")
    if is_large(request.body):
        return await exchange.run(new_object, collection, name, request.body, content_type, settings)
    return new_object(collection, name, request.body, content_type, settings)


async def add_member(exchange: Exchange, _: PropertyTable) -> Response:
    """Store an object under a name that is made up (RFC 5995 §3). Raises DavError."""
    found = await existing(exchange, exchange.request.path)
    if not isinstance(found, CollectionResource):
        raise DavError(405, "Objects are added to collections")
    need(found.rights, BIND, found.href)
    name = new_name(found.kind.kind)
    response = await store(exchange, found, await _read(exchange, found, name), None, Conditions(exchange))
    location = ("Location", found.href + encode(name))
    return Response(response.status, (location, *response.headers))
