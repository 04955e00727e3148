"""207 Multi-Status (RFC 4918 §13), put out as it is made: no answer is held whole, however large."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.message import XML, Response
from mailstead.protocols.dav.names import DECLARATIONS, d
from mailstead.protocols.dav.properties.definition import Property, PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Resource
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import closing, element, escape, opening

HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus{DECLARATIONS}>'.encode()
TAIL = b"</D:multistatus>\n"
_AT_ONCE = 256 * 1024  # an answer up to this has a Content-Length
_OK = "<D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
_MISSING = "<D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
_REASONS = {
    200: "OK", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 413: "Content Too Large", 423: "Locked",
    424: "Failed Dependency", 507: "Insufficient Storage",
}  # fmt: skip


def status_line(status: int) -> str:
    """DAV:status."""
    return f"<D:status>HTTP/1.1 {status} {_REASONS.get(status, 'Status')}</D:status>"


def bare_response(href: str, status: int, condition: str = "") -> str:
    """A resource with a status of its own instead of properties."""
    error = f"<D:error>{element(condition)}</D:error>" if condition else ""
    return f"<D:response><D:href>{escape(href)}</D:href>{status_line(status)}{error}</D:response>"


class Selection(msgspec.Struct, frozen=True):
    """Which properties: those named, all that allprop means (with `names` besides), or names alone."""

    mode: Literal["prop", "allprop", "propname"]
    asked: Mapping[str, Element]


def selection(parent: Element | None) -> Selection:
    """What DAV:propfind, or a report, asks for; nothing is allprop (RFC 4918 §9.1)."""
    if parent is None or not parent.children:
        return Selection("allprop", {})
    for child in parent.children:
        if child.tag == d("prop"):
            return Selection("prop", {one.tag: one for one in child.children})
        if child.tag == d("propname"):
            return Selection("propname", {})
        if child.tag == d("allprop"):
            include = parent.first(d("include"))
            return Selection("allprop", {one.tag: one for one in include.children} if include is not None else {})
    return Selection("prop", {})


class _Column(msgspec.Struct, frozen=True):
    name: str
    opening: str
    closing: str
    live: Property | None


class Answer:
    """Renders the properties of resources."""

    def __init__(self, view: View, table: PropertyTable, selected: Selection) -> None:
        self._view = view
        self._table = table
        self._selected = selected
        self._minimal = view.exchange.is_minimal
        self._columns: dict[tuple[type, str], list[_Column]] = {}
        self._place: tuple[CollectionResource | None, str, list[_Column]] = (None, "", [])

    def _plan(self, resource: Resource) -> list[_Column]:
        live = self._table.of(resource)
        kind = resource.collection.kind.kind if isinstance(resource, ObjectResource) else ""
        if isinstance(resource, CollectionResource):
            kind = resource.kind.kind
        key = (type(resource), kind)
        found = self._columns.get(key)
        if found is None:
            match self._selected.mode:
                case "prop":
                    names = list(self._selected.asked)
                case "allprop":
                    wanted = self._selected.asked
                    names = [*(one.name for one in live.values() if one.in_all or one.name in wanted)]
                case "propname":
                    names = [one.name for one in live.values() if not one.needs_data]
            found = [_Column(name, opening(name), closing(name), live.get(name)) for name in names]
            self._columns[key] = found
        return found

    async def render(self, resources: Sequence[Resource], data: Mapping[int, bytes] | None = None) -> bytes:
        """DAV:response of each, on a thread when there are many; `data` are octets that were read already."""
        prepared: set[object] = set()
        first_of: dict[tuple[type, str], list[_Column]] = {}
        for resource in resources:
            first_of[type(resource), ""] = self._plan(resource)
        needs_data = False
        for columns in first_of.values():
            for column in columns:
                live = column.live
                if live is None:
                    continue
                needs_data = needs_data or live.needs_data
                if live.prepare is not None and live.prepare not in prepared:
                    prepared.add(live.prepare)
                    await live.prepare(self._view, resources)
        if len(resources) > 20 or needs_data:
            return await self._view.exchange.run(self._rendered, resources, needs_data, data)
        return self._rendered(resources, needs_data, data)

    def _rendered(self, resources: Sequence[Resource], needs_data: bool, data: Mapping[int, bytes] | None) -> bytes:
        if needs_data:
            self._view.data = _data_of(resources) if data is None else data
        text = "".join([self.response(resource) for resource in resources])
        self._view.data = {}
        return text.encode()

    def response(self, resource: Resource) -> str:
        """DAV:response of one resource."""
        stored = resource.properties if isinstance(resource, CollectionResource | ObjectResource) else {}
        href, plan = self._placed(resource)
        found: list[str] = []
        missing: list[str] = []
        if self._selected.mode == "propname":
            self._names(resource, stored, found)
        else:
            for column in plan:
                name = column.name
                if name in stored:
                    found.append(stored[name].decode())
                    continue
                content = column.live.render(self._view, resource) if column.live is not None else None
                if content:
                    found.append(f"<{column.opening}>{content}{column.closing}")
                elif content is not None:
                    found.append(f"<{column.opening}/>")
                else:
                    missing.append(f"<{column.opening}/>")
            if self._selected.mode == "allprop":
                live = self._table.of(resource)
                found += [value.decode() for name, value in stored.items() if name not in live]
                missing.clear()
        parts = [f"<D:response><D:href>{href}</D:href>"]
        if found or not missing or self._minimal:
            parts.append(_OK % "".join(found))
        if missing and not self._minimal:
            parts.append(_MISSING % "".join(missing))
        parts.append("</D:response>")
        return "".join(parts)

    def _placed(self, resource: Resource) -> tuple[str, list[_Column]]:
        """The href as the client writes paths, and the plan: of an object, what its neighbours have is kept."""
        spelled = self._view.exchange.spelled
        if not isinstance(resource, ObjectResource):
            return escape(spelled(resource.href)), self._plan(resource)
        collection, base, plan = self._place
        if collection is not resource.collection:
            base, plan = spelled(resource.collection.href), self._plan(resource)
            self._place = (resource.collection, base, plan)
        return escape(base + spelled(encode(resource.row.name))), plan

    def _names(self, resource: Resource, stored: Mapping[str, bytes], found: list[str]) -> None:
        for column in self._plan(resource):
            if column.name in stored or (
                column.live is not None and column.live.render(self._view, resource) is not None
            ):
                found.append(f"<{column.opening}/>")
        live = self._table.of(resource)
        found += [element(name) for name in stored if name not in live]


def _data_of(resources: Iterable[Resource]) -> dict[int, bytes]:
    """The octets of objects of one collection or several, read together."""
    by_collection: dict[int, tuple[CollectionResource, list[int]]] = {}
    for resource in resources:
        if isinstance(resource, ObjectResource):
            collection = resource.collection
            by_collection.setdefault(collection.record.id, (collection, []))[1].append(resource.row.id)
    found: dict[int, bytes] = {}
    for collection, identifiers in by_collection.values():
        found |= collection.objects.read(identifiers)
    return found


async def multistatus(chunks: AsyncIterator[bytes], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """The response of chunks of DAV:response elements; a short one is whole at once."""
    parts = [HEAD]
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > _AT_ONCE:
            return Response(207, headers, b"".join(parts), XML, _rest(chunks))
    return Response(207, headers, b"".join([*parts, TAIL]), XML)


async def _rest(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk
    yield TAIL


async def one_chunk(content: bytes) -> AsyncIterator[bytes]:
    """A single chunk."""
    yield content
