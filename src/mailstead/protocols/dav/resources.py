"""What paths lead to. A resource is a view of one moment; nothing here reads or writes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from mailstead.protocols.dav.hrefs import PREFIX, encode, href
from mailstead.protocols.dav.kinds import HomeKind
from mailstead.stores.mailbox.dav.records import Collection, CollectionChanges, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox

Privilege = str


class Objects(Protocol):
    """Where a collection's objects are read: the mailbox, or what looks like one. Called on threads."""

    def objects(self, collection_id: int, since: int | None = None, until: int | None = None) -> list[ObjectRow]:
        """All objects, or those that may be within a range."""
        ...

    def find(self, collection_id: int, name: str) -> ObjectRow | None:
        """The object of that name."""
        ...

    def find_all(self, collection_id: int, names: Sequence[str]) -> list[ObjectRow]:
        """The objects of these names that there are."""
        ...

    def read(self, identifiers: Sequence[int]) -> dict[int, bytes]:
        """Octets by ids."""
        ...

    def changes(self, collection_id: int, since: int | None, most: int | None = None) -> CollectionChanges:
        """What changed since a token."""
        ...

    def object_properties(self, collection_id: int) -> dict[int, dict[str, bytes]]:
        """Properties that clients set on objects."""
        ...


class Holder(msgspec.Struct, frozen=True):
    """Whose collections: the address in paths, its mailbox, its room in octets."""

    address: str
    mailbox: Mailbox
    quota: int


class Root(msgspec.Struct, frozen=True):
    """The collection of all principals; at the root of the host it is found, too."""

    href: str = PREFIX


class Principal(msgspec.Struct, frozen=True):
    """An address that collections belong to; `is_own` when it is who asks."""

    address: str
    name: str
    is_own: bool

    @property
    def href(self) -> str:
        """Its path."""
        return href(self.address)


class Home(msgspec.Struct, frozen=True):
    """All calendars, or all address books, of a principal."""

    holder: Holder
    kind: HomeKind
    rights: frozenset[Privilege]

    @property
    def href(self) -> str:
        """Its path."""
        return href(self.holder.address, self.kind.segment)


class CollectionResource(msgspec.Struct, frozen=True):
    """A calendar or address book. `path` is its name in its home, which for one of another owner is not the store's.

    `properties` are those that clients set, by name in Clark notation, each a whole element.
    """

    home: Home
    path: str
    record: Collection
    rights: frozenset[Privilege]
    objects: Objects
    owner: str
    mailbox: Mailbox | None
    quota: int
    properties: Mapping[str, bytes] = {}
    extra: Callable[[str], str | None] | None = None

    @property
    def kind(self) -> HomeKind:
        """What it holds."""
        return self.home.kind

    @property
    def href(self) -> str:
        """Its path."""
        inner = "".join(f"{encode(segment)}/" for segment in self.path.split("/") if segment)
        return self.home.href + inner


class ObjectResource(msgspec.Struct, frozen=True):
    """An object of a collection."""

    collection: CollectionResource
    row: ObjectRow
    properties: Mapping[str, bytes] = {}

    @property
    def href(self) -> str:
        """Its path."""
        return self.collection.href + encode(self.row.name)

    @property
    def rights(self) -> frozenset[Privilege]:
        """Those of its collection."""
        return self.collection.rights


class Unmapped(msgspec.Struct, frozen=True):
    """Nothing is there, but `parent` is."""

    parent: "Home | CollectionResource"
    name: str

    @property
    def href(self) -> str:
        """Its path, as of an object."""
        return self.parent.href + encode(self.name)

    @property
    def rights(self) -> frozenset[Privilege]:
        """Those of its parent."""
        return self.parent.rights


Resource = Root | Principal | Home | CollectionResource | ObjectResource
Found = Resource | Unmapped
