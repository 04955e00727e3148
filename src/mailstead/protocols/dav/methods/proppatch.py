"""PROPPATCH (RFC 4918 §9.2): all of it or nothing."""

from mailstead.protocols.dav.access import WRITE_PROPERTIES, need
from mailstead.protocols.dav.conditions import Conditions, lock_place
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import multistatus, one_chunk
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource
from mailstead.protocols.dav.setting import checked, instructions, propstats
from mailstead.protocols.dav.tree import existing
from mailstead.protocols.dav.xml.writer import escape


async def proppatch(exchange: Exchange, table: PropertyTable) -> Response:
    """Set and remove properties of a collection or object. Raises DavError."""
    root = exchange.wanted(d("propertyupdate"))
    asked = instructions(root)
    if not asked:
        raise DavError(400, "DAV:propertyupdate changes nothing")
    resource = await existing(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    await conditions.check(resource)
    need(rights_of(resource), WRITE_PROPERTIES, resource.href)
    if not isinstance(resource, CollectionResource | ObjectResource):
        raise DavError(403, "Properties of this resource cannot be set")
    place = lock_place(resource)
    if place is None:
        raise DavError(403, "Properties of this resource cannot be set")
    mailbox, path = place
    conditions.check_locks(await exchange.run_short(mailbox, mailbox.dav.locks, path, exchange.now))
    changes, refused = checked(exchange, resource, table, asked, resource.properties)
    if not refused:
        if isinstance(resource, CollectionResource):
            await exchange.run_write(mailbox, mailbox.dav.set_properties, resource.record.id, changes)
        else:
            await exchange.run_write(mailbox, mailbox.dav.set_object_properties, resource.row.id, changes)
        if exchange.is_minimal:
            return Response(200, (("Preference-Applied", "return=minimal"),))
    text = f"<D:response><D:href>{escape(resource.href)}</D:href>{propstats(asked, refused)}</D:response>"
    return await multistatus(one_chunk(text.encode()))
