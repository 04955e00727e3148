"""C:calendar-query (RFC 4791 §7.8)."""

from collections.abc import Sequence

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import KINDS, read_calendar_object
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.values import DAY
from mailstead.formats.icalendar.zones import Zone, Zones
from mailstead.protocols.dav.caldav.filter import ComponentFilter, Range, parse_filter
from mailstead.protocols.dav.caldav.match import Matcher
from mailstead.protocols.dav.caldav.time_range import floating_zone
from mailstead.protocols.dav.content import content_bounds, expansion_bounds
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, selection
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.reports.multiget import data_view
from mailstead.protocols.dav.reports.querying import Matches, of_one, query, searched
from mailstead.protocols.dav.reports.sync_collection import result_limit
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Resource
from mailstead.protocols.dav.tree import in_collection
from mailstead.protocols.dav.walk import depth_of
from mailstead.protocols.dav.xml.reader import Element
from mailstead.stores.mailbox.dav.records import ObjectRow


async def calendar_query(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """The objects that meet a filter. Raises DavError."""
    asked = parse_filter(root.first(c("filter")))
    most = result_limit(exchange, root, c("limit"))
    selected = selection(root)
    answer = Answer(data_view(exchange, root, selected, resource), table, selected)
    if isinstance(resource, ObjectResource):
        collection, row = resource.collection, resource.row
        octets = await in_collection(exchange, collection, lambda: collection.objects.read([row.id]))
        decide = _decision(exchange, asked, floating_zone(root, collection))
        matches = row.id in octets and await exchange.run(decide, row, octets[row.id])
        return await of_one(answer, resource, matches=matches)

    def candidates(collection: CollectionResource) -> tuple[Sequence[ObjectRow], Matches | None]:
        if collection.kind.kind == "inbox":  # of messages no kind and no time is kept beside their octets
            return collection.objects.objects(collection.record.id), _decision(
                exchange, asked, floating_zone(root, collection)
            )
        span, names = _narrowed(asked)
        since, until = (None, None) if span is None else (span[0] - DAY, span[1] + DAY)
        rows = collection.objects.objects(collection.record.id, since, until)
        if names is not None:
            rows = [row for row in rows if row.component in names]
        if _is_told_by_kind(asked):
            return rows, None
        return rows, _decision(exchange, asked, floating_zone(root, collection))

    places = await searched(exchange, resource, depth_of(exchange.request, "1"), "calendar", "inbox")
    return await query(exchange, answer, resource, places, candidates, most)


def _narrowed(asked: ComponentFilter) -> tuple[Range | None, tuple[str, ...] | None]:
    """The range and kinds that whatever matches is of, as far as the filter alone tells."""
    for one in asked.components:
        if one.name in KINDS and not one.is_absent:
            return one.range, (one.name,)
    return None, None


def _is_told_by_kind(asked: ComponentFilter) -> bool:
    """Whether the kind of an object is all that matters."""
    return not asked.properties and (
        not asked.components
        or (len(asked.components) == 1 and asked.components[0].name in KINDS and asked.components[0].is_bare)
    )


def _decision(exchange: Exchange, asked: ComponentFilter, floating: Zone) -> Matches:
    settings = exchange.settings.dav
    bounds, expansion = content_bounds(settings), expansion_bounds(settings)

    def decide(_: ObjectRow, octets: bytes) -> bool:
        try:
            found = read_calendar_object(octets, bounds, is_message=True)
            return Matcher(found, Zones(found.calendar, floating), expansion).matches(asked)
        except ContentError:
            return False
        except RecurrenceLimitError:
            return True  # too costly to tell: rather one too many than one that nobody sees

    return decide
