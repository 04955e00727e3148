"""What properties are told from: the request, what it says of a property, and what was fetched before."""

from collections.abc import Mapping
from typing import Any

from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.xml.reader import Element


class View:
    """`asked` are the elements of DAV:prop by name; `data` the octets of the objects of a batch by their ids."""

    def __init__(self, exchange: Exchange, asked: Mapping[str, Element] | None = None) -> None:
        self.exchange = exchange
        self.asked = asked or {}
        self.data: Mapping[int, bytes] = {}
        self.kept: dict[Any, Any] = {}
