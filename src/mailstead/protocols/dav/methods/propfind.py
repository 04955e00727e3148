"""PROPFIND (RFC 4918 §9.1)."""

from collections.abc import AsyncIterator

from mailstead.protocols.dav.access import READ, need
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, multistatus, selection
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.tree import existing
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.walk import depth_of, walk


async def propfind(exchange: Exchange, table: PropertyTable) -> Response:
    """Properties of a resource and, by Depth, of what is in it. Raises DavError."""
    root = exchange.xml()
    if root is not None and root.tag != d("propfind"):
        raise DavError(400, "The request's XML is not DAV:propfind")
    if root is not None and not any(root.first(d(name)) for name in ("prop", "propname", "allprop")):
        raise DavError(400, "DAV:propfind asks for nothing")
    depth = depth_of(exchange.request, "infinity")
    resource = await existing(exchange, exchange.request.path)
    need(rights_of(resource), READ, resource.href)
    selected = selection(root)
    answer = Answer(View(exchange, selected.asked), table, selected)

    async def chunks() -> AsyncIterator[bytes]:
        async for batch in walk(exchange, resource, depth):
            yield await answer.render(batch)

    preference = (("Preference-Applied", "return=minimal"),) if exchange.is_minimal else ()
    return await multistatus(chunks(), preference)
