"""What a report is."""

from collections.abc import Awaitable, Callable

import msgspec

from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import Resource
from mailstead.protocols.dav.xml.reader import Element

Run = Callable[[Exchange, PropertyTable, Resource, Element], Awaitable[Response]]


class Report(msgspec.Struct, frozen=True):
    """A report; `kinds` are those of the collections that it is about, none for any resource."""

    name: str
    run: Run
    kinds: tuple[str, ...] = ()
