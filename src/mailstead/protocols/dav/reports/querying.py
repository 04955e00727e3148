"""What queries of calendars and of address books share: candidates in batches, limits, and the answer."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, bare_response, multistatus
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.resources import CollectionResource, Home, ObjectResource, Resource
from mailstead.protocols.dav.tree import collections
from mailstead.protocols.dav.walk import Depth, as_resources, portions
from mailstead.stores.mailbox.dav.records import ObjectRow

Matches = Callable[[ObjectRow, bytes], bool]
"""Whether an object, by its row and octets, is one of those asked for. Called on a thread."""
Candidates = Callable[[CollectionResource], tuple[Sequence[ObjectRow], Matches | None]]
"""The rows that may match, and what decides; None when all of them do. Called on a thread."""


async def searched(
    exchange: Exchange, resource: Resource, depth: Depth, kind: str, *more: str
) -> list[CollectionResource]:
    """The collections that a query of some depth looks into: of a kind, or one itself of `more`. Raises DavError."""
    match resource:
        case CollectionResource() if resource.kind.kind in (kind, *more):
            return [resource] if depth != "0" else []
        case Home() if resource.kind.kind == kind:
            return await collections(exchange, resource) if depth == "infinity" else []
    raise DavError(403, "There is no such report of this resource", d("supported-report"))


async def query(
    exchange: Exchange,
    answer: Answer,
    resource: Resource,
    places: Sequence[CollectionResource],
    candidates: Candidates,
    most: int,
) -> Response:
    """The answer: what matches, until there is more than `most` or no time is left (RFC 4791 §7.8, RFC 6352 §8.6.1)."""
    deadline = time.monotonic() + exchange.settings.dav.query_time

    async def chunks() -> AsyncIterator[bytes]:
        left = most
        for place in places:
            rows, decide = await exchange.run(candidates, place)
            properties = await exchange.run(place.objects.object_properties, place.record.id)
            for batch in portions(rows):
                found, data = batch, None
                if decide is not None:
                    found, data = await exchange.run(_matching, place, batch, decide)
                if found:
                    yield await answer.render(as_resources(place, found[:left], properties), data)
                left -= len(found)
                is_last = place is places[-1] and batch[-1] is rows[-1]
                if left < 0 or (not is_last and (left == 0 or time.monotonic() > deadline)):
                    yield bare_response(
                        exchange.spelled(resource.href), 507, d("number-of-matches-within-limits")
                    ).encode()
                    return

    return await multistatus(chunks())


def _matching(
    place: CollectionResource, rows: Sequence[ObjectRow], decide: Matches
) -> tuple[list[ObjectRow], Mapping[int, bytes]]:
    octets: Mapping[int, bytes] = place.objects.read([row.id for row in rows])
    return [row for row in rows if row.id in octets and decide(row, octets[row.id])], octets


async def of_one(answer: Answer, resource: ObjectResource, *, matches: bool) -> Response:
    """The answer to a query of one object."""

    async def chunks() -> AsyncIterator[bytes]:
        if matches:
            yield await answer.render([resource])

    return await multistatus(chunks())
