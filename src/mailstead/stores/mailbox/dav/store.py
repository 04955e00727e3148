"""Calendars and address books as protocols use them: each method one view or one durable transaction."""

from collections.abc import Mapping, Sequence

from mailstead.foundation.errors import OverQuotaError
from mailstead.stores.mailbox.dav import collections, objects
from mailstead.stores.mailbox.dav.records import Collection, CollectionChanges, Kind, NewObject, ObjectRow
from mailstead.stores.mailbox.folders import used
from mailstead.stores.mailbox.handle import Handle


class DavStore:
    """The collections of one mailbox; `quota` of its methods is the room of the whole mailbox in octets."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def collections(self, kind: Kind) -> list[Collection]:
        """All of a kind by name; a mailbox that never had any gets a calendar, tasks and an address book first."""
        with self._handle.read() as connection:
            if collections.has_defaults(connection):
                return collections.list_collections(connection, kind)
        with self._handle.write() as connection:
            collections.ensure_defaults(connection)
            return collections.list_collections(connection, kind)

    def collection(self, kind: Kind, name: str) -> Collection:
        """The collection. Raises NoSuchCollectionError."""
        with self._handle.read() as connection:
            return collections.find(connection, kind, name)

    def create(
        self, kind: Kind, name: str, components: Sequence[str], properties: Mapping[str, bytes] | None = None
    ) -> Collection:
        """Make a collection with its properties, all or nothing. Raises CollectionExistsError."""
        with self._handle.write() as connection:
            collections.ensure_defaults(connection)
            made = collections.create(connection, kind, name, components)
            if properties:
                collections.set_properties(connection, made.id, properties)
            return made

    def delete_collection(self, collection_id: int) -> None:
        """Delete a collection with all of its objects. Raises NoSuchCollectionError."""
        with self._handle.write() as connection:
            collections.delete(connection, collection_id)

    def properties(self, collection_id: int) -> dict[str, bytes]:
        """The properties that clients set."""
        with self._handle.read() as connection:
            return collections.properties(connection, collection_id)

    def set_properties(self, collection_id: int, changes: Mapping[str, bytes | None]) -> None:
        """Set properties, remove those that are None, all or nothing. Raises NoSuchCollectionError."""
        with self._handle.write() as connection:
            collections.set_properties(connection, collection_id, changes)

    def objects(self, collection_id: int, since: int | None = None, until: int | None = None) -> list[ObjectRow]:
        """See objects.list_objects."""
        with self._handle.read() as connection:
            return objects.list_objects(connection, collection_id, since, until)

    def find(self, collection_id: int, name: str) -> ObjectRow | None:
        """The object of that name."""
        with self._handle.read() as connection:
            return objects.find(connection, collection_id, name)

    def read(self, identifiers: Sequence[int]) -> dict[int, bytes]:
        """The octets of objects by their ids; what is gone is left out."""
        with self._handle.read() as connection:
            return objects.read(connection, identifiers)

    def put(
        self,
        collection_id: int,
        new: NewObject,
        now: float,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        quota: int | None = None,
    ) -> tuple[ObjectRow, bool]:
        """See objects.put. Raises OverQuotaError besides."""
        with self._handle.write() as connection:
            result = objects.put(connection, collection_id, new, now, if_match, if_none_match)
            if quota is not None and used(connection) > quota:
                raise OverQuotaError
            return result

    def delete(self, collection_id: int, name: str, now: float, *, if_match: str | None = None) -> None:
        """See objects.delete."""
        with self._handle.write() as connection:
            objects.delete(connection, collection_id, name, now, if_match)

    def changes(self, collection_id: int, since: int | None, most: int | None = None) -> CollectionChanges:
        """See objects.changes."""
        with self._handle.read() as connection:
            return objects.changes(connection, collection_id, since, most)
