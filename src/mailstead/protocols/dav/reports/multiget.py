"""C:calendar-multiget and A:addressbook-multiget (RFC 4791 §7.9, RFC 6352 §8.7)."""

from collections.abc import AsyncIterator

from mailstead.protocols.dav.access import READ
from mailstead.protocols.dav.caldav.data import FLOATING, wanted_data
from mailstead.protocols.dav.caldav.time_range import floating_zone
from mailstead.protocols.dav.carddav import data as cards
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import path_of, split_path
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, Selection, bare_response, multistatus, selection
from mailstead.protocols.dav.names import a, c, d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Resource
from mailstead.protocols.dav.tree import find
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.walk import BATCH, as_resources, portions
from mailstead.protocols.dav.xml.reader import Element
from mailstead.stores.mailbox.dav.records import ObjectRow


def data_view(exchange: Exchange, root: Element, selected: Selection, resource: Resource) -> View:
    """A view whose object data is checked beforehand. Raises DavError."""
    view = View(exchange, selected.asked)
    if c("calendar-data") in selected.asked:
        wanted_data(selected.asked[c("calendar-data")])
    if a("address-data") in selected.asked:
        cards.wanted_data(selected.asked[a("address-data")])
    if isinstance(resource, CollectionResource) and resource.kind.kind == "calendar":
        view.kept[FLOATING] = floating_zone(root, resource)
    return view


async def multiget(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """The objects of these hrefs. Raises DavError."""
    selected = selection(root)
    hrefs = [one.text.strip() for one in root.all(d("href"))]
    if not hrefs:
        raise DavError(400, "There is no href")
    answer = Answer(data_view(exchange, root, selected, resource), table, selected)
    if isinstance(resource, CollectionResource):
        return await multistatus(_of_collection(exchange, answer, resource, hrefs))
    return await multistatus(_of_any(exchange, answer, hrefs))


async def _of_collection(
    exchange: Exchange, answer: Answer, collection: CollectionResource, hrefs: list[str]
) -> AsyncIterator[bytes]:
    """Objects of one collection are found together."""
    base = split_path(collection.href)
    identifier = collection.record.id

    def read(names: list[str]) -> tuple[list[ObjectRow], dict[int, dict[str, bytes]]]:
        return (
            collection.objects.find_all(identifier, names),
            collection.objects.object_properties(identifier),
        )

    for start in range(0, len(hrefs), BATCH):
        missing: list[str] = []
        by_name: dict[str, str] = {}
        for text in hrefs[start : start + BATCH]:
            segments = _segments(exchange, text)
            if segments is not None and len(segments) == len(base) + 1 and _is_same(segments[: len(base)], base):
                by_name[segments[-1]] = text
            else:
                missing.append(text)
        rows, properties = await exchange.run(read, list(by_name))
        found = {row.name for row in rows}
        missing += [text for name, text in by_name.items() if name not in found]
        for batch in portions(rows):
            yield await answer.render(as_resources(collection, batch, properties))
        yield "".join([bare_response(text, 404) for text in missing]).encode()


def _segments(exchange: Exchange, text: str) -> tuple[str, ...] | None:
    try:
        return split_path(path_of(text, exchange.request.host))
    except DavError:
        return None


def _is_same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one == other or (one[1:] == other[1:] and one[0].lower() == other[0].lower())


async def _of_any(exchange: Exchange, answer: Answer, hrefs: list[str]) -> AsyncIterator[bytes]:
    """Objects of any collections, one after the other."""
    for text in hrefs:
        try:
            found = await find(exchange, path_of(text, exchange.request.host))
        except DavError:
            found = None
        if isinstance(found, ObjectResource) and READ in rights_of(found):
            yield await answer.render([found])
        else:
            yield bare_response(text, 404).encode()
