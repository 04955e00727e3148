"""REPORT (RFC 3253 §3.6)."""

from collections.abc import Mapping

from mailstead.protocols.dav.access import READ, need
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import c, d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable, kind_of
from mailstead.protocols.dav.reports.definition import Report
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource
from mailstead.protocols.dav.tree import existing


async def report(exchange: Exchange, table: PropertyTable, reports: Mapping[str, Report]) -> Response:
    """Run the report that the request names. Raises DavError."""
    root = exchange.xml()
    if root is None:
        raise DavError(400, "A report is wanted")
    resource = await existing(exchange, exchange.request.path)
    found = reports.get(root.tag)
    if found is None or (
        found.kinds
        and isinstance(resource, CollectionResource | ObjectResource)
        and kind_of(resource) not in found.kinds
    ):
        raise DavError(403, "There is no such report of this resource", d("supported-report"))
    if root.tag != c("free-busy-query"):
        need(rights_of(resource), READ, resource.href)
    return await found.run(exchange, table, resource, root)
