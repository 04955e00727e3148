"""DAV:expand-property (RFC 3253 §3.8): the properties of what properties point to."""

import re

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import path_of
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, Selection, bare_response, multistatus, one_chunk
from mailstead.protocols.dav.names import DAV
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import Resource
from mailstead.protocols.dav.tree import existing
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import closing, opening

_PROPERTY = f"{{{DAV}}}property"
_HREF = re.compile(r"<D:href>([^<]*)</D:href>")
_DEEPEST = 6
_MOST = 1000


class _Expansion:
    def __init__(self, exchange: Exchange, table: PropertyTable) -> None:
        self._exchange = exchange
        self._table = table
        self._left = _MOST

    async def response(self, resource: Resource, asked: list[Element], depth: int) -> str:
        """DAV:response of a resource, the hrefs in its properties replaced by responses where that is asked for."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise DavError(403, "More is to be expanded than allowed")
        inner = {_name(one): one.all(_PROPERTY) for one in asked}
        selected = Selection("prop", {name: Element(name, {}) for name in inner})
        answer = Answer(View(self._exchange, selected.asked), self._table, selected)
        text = (await answer.render([resource])).decode()
        for name, further in inner.items():
            if further:
                text = await self._expanded(text, name, further, depth)
        return text

    async def _expanded(self, text: str, name: str, asked: list[Element], depth: int) -> str:
        start = text.find(f"<{opening(name)}>")
        end = text.find(closing(name), start)
        if start < 0 or end < 0:
            return text
        parts, place = [text[:start]], start
        for match in _HREF.finditer(text, start, end):
            parts.append(text[place : match.start()])
            parts.append(await self._target(match[1], asked, depth))
            place = match.end()
        return "".join([*parts, text[place:]])

    async def _target(self, href: str, asked: list[Element], depth: int) -> str:
        try:
            resource = await existing(self._exchange, path_of(href, self._exchange.request.host))
        except DavError as error:
            if error.http_status not in (400, 404, 502):
                raise
            return bare_response(href, 404)
        return await self.response(resource, asked, depth + 1)


def _name(element: Element) -> str:
    namespace, name = element.attributes.get("namespace", DAV), element.attributes.get("name", "")
    if not name:
        raise DavError(400, "A property has a name")
    return f"{{{namespace}}}{name}" if namespace else name


async def expand_property(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """Properties, and properties of what they point to. Raises DavError."""
    text = await _Expansion(exchange, table).response(resource, root.all(_PROPERTY), 0)
    return await multistatus(one_chunk(text.encode()))
