"""The resources that a request of some depth speaks of, in batches (RFC 4918 §10.2)."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Request
from mailstead.protocols.dav.resources import (
    CollectionResource,
    Home,
    ObjectResource,
    Principal,
    Resource,
    Root,
)
from mailstead.protocols.dav.tree import children, collections, find, home_kinds
from mailstead.stores.mailbox.dav.records import ObjectRow

Depth = Literal["0", "1", "infinity"]
BATCH = 500
_BATCH_OCTETS = 4 * 1024 * 1024


def depth_of(request: Request, default: Depth) -> Depth:
    """The Depth header. Raises DavError."""
    text = request.header("depth").lower()
    if not text:
        return default
    if text == "0":
        return "0"
    if text == "1":
        return "1"
    if text.partition(",")[0] == "infinity":
        return "infinity"
    raise DavError(400, "Depth is 0, 1 or infinity")


async def walk(exchange: Exchange, resource: Resource, depth: Depth) -> AsyncIterator[Sequence[Resource]]:
    """The resource and what is in it; a batch is of one collection."""
    yield [resource]
    if depth == "0":
        return
    if isinstance(resource, CollectionResource):
        async for batch in objects(exchange, resource):
            yield batch
    members = await _members(exchange, resource)
    if depth == "1":
        if members:
            yield members
        return
    for member in members:
        async for batch in walk(exchange, member, depth):
            yield batch


async def objects(exchange: Exchange, collection: CollectionResource) -> AsyncIterator[Sequence[Resource]]:
    """The objects of a collection."""
    identifier = collection.record.id

    def read() -> tuple[list[ObjectRow], dict[int, dict[str, bytes]]]:
        return collection.objects.objects(identifier), collection.objects.object_properties(identifier)

    rows, properties = await exchange.run(read)
    for batch in portions(rows):
        yield as_resources(collection, batch, properties)


def portions(rows: Sequence[ObjectRow]) -> Iterator[Sequence[ObjectRow]]:
    """The rows in batches whose objects may be in memory together."""
    start = size = 0
    for place, row in enumerate(rows):
        if place > start and (place - start == BATCH or size + row.size > _BATCH_OCTETS):
            yield rows[start:place]
            start, size = place, 0
        size += row.size
    if start < len(rows):
        yield rows[start:]


def as_resources(
    collection: CollectionResource, rows: Sequence[ObjectRow], properties: dict[int, dict[str, bytes]]
) -> list[Resource]:
    """Rows as resources."""
    if not properties:
        return [ObjectResource(collection, row) for row in rows]
    return [ObjectResource(collection, row, properties.get(row.id, {})) for row in rows]


async def _members(exchange: Exchange, resource: Resource) -> Sequence[Resource]:
    """What is directly in a resource and is no object."""
    match resource:
        case Root():
            return await exchange.services.access.principals(exchange)
        case Principal():
            found = [await find(exchange, f"{resource.href}{kind.segment}/") for kind in home_kinds(exchange)]
            return [one for one in found if isinstance(one, Home | CollectionResource)]
        case Home():
            return await collections(exchange, resource)
        case CollectionResource():
            return await children(exchange, resource)
    return ()
