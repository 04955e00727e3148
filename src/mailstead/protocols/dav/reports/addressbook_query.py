"""A:addressbook-query (RFC 6352 §8.6)."""

from collections.abc import Sequence

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.vcard.card import read_card
from mailstead.protocols.dav.carddav.filter import CardFilter, parse_filter
from mailstead.protocols.dav.content import content_bounds
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, selection
from mailstead.protocols.dav.names import a
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.reports.multiget import data_view
from mailstead.protocols.dav.reports.querying import Matches, of_one, query, searched
from mailstead.protocols.dav.reports.sync_collection import result_limit
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Resource
from mailstead.protocols.dav.tree import in_collection
from mailstead.protocols.dav.walk import depth_of
from mailstead.protocols.dav.xml.reader import Element
from mailstead.stores.mailbox.dav.records import ObjectRow


async def addressbook_query(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """The cards that meet a filter. Raises DavError."""
    asked = parse_filter(root.first(a("filter")))
    most = result_limit(exchange, root, a("limit"))
    selected = selection(root)
    answer = Answer(data_view(exchange, root, selected, resource), table, selected)
    decide = _decision(exchange, asked)
    if isinstance(resource, ObjectResource):
        collection, row = resource.collection, resource.row
        octets = await in_collection(exchange, collection, lambda: collection.objects.read([row.id]))
        return await of_one(answer, resource, matches=row.id in octets and decide(row, octets[row.id]))

    def candidates(collection: CollectionResource) -> tuple[Sequence[ObjectRow], Matches | None]:
        return collection.objects.objects(collection.record.id), decide if asked.properties else None

    places = await searched(exchange, resource, depth_of(exchange.request, "1"), "addressbook")
    return await query(exchange, answer, resource, places, candidates, most)


def _decision(exchange: Exchange, asked: CardFilter) -> Matches:
    bounds = content_bounds(exchange.settings.dav)

    def decide(_: ObjectRow, octets: bytes) -> bool:
        try:
            return asked.met_by(read_card(octets, bounds).component)
        except ContentError:
            return False

    return decide
