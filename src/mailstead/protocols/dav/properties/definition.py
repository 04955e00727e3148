"""What a property is, and the table of all of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Resource
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element

Render = Callable[[View, Any], str | None]
Prepare = Callable[[View, Sequence[Resource]], Awaitable[None]]
Check = Callable[[Any, Element], None]


class Property(msgspec.Struct, frozen=True):
    """A live property. `on` are the classes of resources that have it, `kinds` the kinds of collections (none: all).

    `render` gives the content as XML, None where the resource has it not; it runs on a thread and must not wait for
    anything: `prepare` fetches before what it needs, and keeps it in the view. With `check`, which raises DavError for a
    value that is not fit, clients may set the property; what they set is then given instead of what `render` says.
    """

    name: str
    on: tuple[type, ...]
    render: Render
    in_all: bool = False
    kinds: tuple[str, ...] = ()
    prepare: Prepare | None = None
    check: Check | None = None
    needs_data: bool = False


def kind_of(resource: Resource) -> str:
    """The kind of the collection that a resource is or is in, empty elsewhere."""
    if isinstance(resource, CollectionResource):
        return resource.kind.kind
    return resource.collection.kind.kind if isinstance(resource, ObjectResource) else ""


class PropertyTable:
    """All properties by what has them."""

    def __init__(self, properties: Sequence[Property]) -> None:
        self._properties = tuple(properties)
        self.protected = frozenset(one.name for one in self._properties if one.check is None)
        """Names that no client can set, whatever resource it is."""
        self._tables: dict[tuple[type, str], dict[str, Property]] = {}

    def of(self, resource: Resource) -> dict[str, Property]:
        """The live properties that such a resource may have, by name."""
        key = (type(resource), kind_of(resource))
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = {
                one.name: one
                for one in self._properties
                if isinstance(resource, one.on) and (not one.kinds or key[1] in one.kinds)
            }
        return found
