"""Calendars and address books as protocols use them: each method one view or one durable transaction."""

from collections.abc import Callable, Mapping, Sequence

import apsw

from mailstead.foundation.errors import OverQuotaError
from mailstead.stores.mailbox.dav import birthdays, collections, locks, objects, owed, trees
from mailstead.stores.mailbox.dav.records import (
    Collection,
    CollectionChanges,
    Kind,
    Lock,
    MadeByServerError,
    NewObject,
    NoSuchObjectError,
    ObjectRow,
    PreconditionFailedError,
)
from mailstead.stores.mailbox.folders import used
from mailstead.stores.mailbox.handle import Handle

Guard = Callable[[ObjectRow | None, Sequence[Lock]], None]
"""Called within the transaction with what is there now and the locks that protect it; raises to refuse the change."""


class DavStore:
    """The collections of one mailbox; `quota` of its methods is the room of the whole mailbox in octets.

    `owes` are records of what a change owes to others, kept with it or not at all; see owed.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    # collections

    def collections(self, kind: Kind) -> list[Collection]:
        """All of a kind by name; a mailbox that never had any gets a calendar, tasks and an address book first."""
        self._follow(kind)
        with self._handle.read() as connection:
            if collections.has_defaults(connection):
                return collections.list_collections(connection, kind)
        with self._handle.write() as connection:
            collections.ensure_defaults(connection)
            return collections.list_collections(connection, kind)

    def collection(self, kind: Kind, name: str) -> Collection:
        """The collection. Raises NoSuchCollectionError."""
        self._follow(kind)
        with self._handle.read() as connection:
            return collections.find(connection, kind, name)

    def _follow(self, kind: Kind = "calendar") -> None:
        """The calendar of birthdays is as the address books are when calendars are looked at."""
        if kind != "calendar":
            return
        with self._handle.read() as connection:
            if not birthdays.is_stale(connection):
                return
        with self._handle.write() as connection:
            birthdays.follow(connection)

    def birthdays(self) -> bool | None:
        """See birthdays.state."""
        with self._handle.read() as connection:
            return birthdays.state(connection)

    def switch_birthdays(self, *, on: bool) -> None:
        """Make the calendar of birthdays, or take it away."""
        with self._handle.write() as connection:
            collections.ensure_defaults(connection)
            birthdays.switch(connection, on=on)

    def described(self, kind: Kind) -> list[tuple[Collection, dict[str, bytes]]]:
        """See collections; each with the properties that clients set."""
        found = self.collections(kind)
        with self._handle.read() as connection:
            return [(one, collections.properties(connection, one.id)) for one in found]

    def children(self, collection: Collection) -> list[tuple[Collection, dict[str, bytes]]]:
        """The collections directly in one, each with its properties."""
        with self._handle.read() as connection:
            found = trees.children(connection, collection)
            return [(one, collections.properties(connection, one.id)) for one in found]

    def create(
        self, kind: Kind, name: str, components: Sequence[str], properties: Mapping[str, bytes] | None = None
    ) -> Collection:
        """Make a collection with its properties, all or nothing. Raises CollectionExistsError."""
        with self._handle.write() as connection:
            return _create(connection, kind, name, components, properties)

    def create_guarded(
        self,
        kind: Kind,
        name: str,
        components: Sequence[str],
        properties: Mapping[str, bytes],
        now: float,
        guard: Guard,
    ) -> Collection:
        """See create; `guard` is asked first. Raises CollectionExistsError."""
        with self._handle.write() as connection:
            guard(None, locks.covering(connection, trees.store_path(kind, name), now, is_member_change=True))
            return _create(connection, kind, name, components, properties)

    def delete_collection(self, collection_id: int) -> None:
        """Delete a collection with all of its objects. Raises NoSuchCollectionError."""
        with self._handle.write() as connection:
            collections.delete(connection, collection_id)

    def delete_tree(
        self,
        collection: Collection,
        now: float,
        guard: Guard,
        *,
        token: int | None = None,
        owes: Sequence[NewObject] = (),
    ) -> None:
        """Delete a collection with all that is in it, and its locks; `token` is the state that it has to have.

        Raises NoSuchCollectionError, PreconditionFailedError.
        """
        with self._handle.write() as connection:
            if token is not None and collections.by_id(connection, collection.id).token != token:
                raise PreconditionFailedError
            _delete_tree(connection, collection, now, guard)
            owed.keep(connection, owes, now)

    def transfer_tree(
        self,
        source: Collection,
        name: str,
        now: float,
        guard: Guard,
        *,
        is_move: bool,
        deep: bool = True,
        replaced: Collection | None = None,
        quota: int | None = None,
    ) -> None:
        """Copy or move a collection to another name, in the place of `replaced`.

        Raises NoSuchCollectionError, CollectionExistsError, OverQuotaError.
        """
        with self._handle.write() as connection:
            target = trees.store_path(source.kind, name)
            guard(None, locks.covering(connection, target, now, is_member_change=True))
            if replaced is not None:
                _delete_tree(connection, replaced, now, guard)
            if not is_move:
                trees.copy(connection, source, name, now, deep=deep)
                if quota is not None and used(connection) > quota:
                    raise OverQuotaError
                return
            path = trees.store_path(source.kind, source.name)
            guard(None, locks.covering(connection, path, now, is_member_change=True))
            guard(None, locks.within(connection, path, now))
            locks.forget(connection, path)
            trees.rename(connection, source, name)

    def properties(self, collection_id: int) -> dict[str, bytes]:
        """The properties that clients set."""
        with self._handle.read() as connection:
            return collections.properties(connection, collection_id)

    def find_described(self, kind: Kind, name: str) -> tuple[Collection, dict[str, bytes]]:
        """A collection with its properties. Raises NoSuchCollectionError."""
        self._follow(kind)
        with self._handle.read() as connection:
            found = collections.find(connection, kind, name)
            return found, collections.properties(connection, found.id)

    def set_properties(self, collection_id: int, changes: Mapping[str, bytes | None]) -> None:
        """Set properties, remove those that are None, all or nothing. Raises NoSuchCollectionError."""
        with self._handle.write() as connection:
            collections.set_properties(connection, collection_id, changes)

    def describe(self, collection_id: int) -> tuple[Collection, dict[str, bytes]]:
        """A collection by its id, with its properties. Raises NoSuchCollectionError."""
        self._follow()
        with self._handle.read() as connection:
            return collections.by_id(connection, collection_id), collections.properties(connection, collection_id)

    def set_object_properties(self, object_id: int, changes: Mapping[str, bytes | None]) -> None:
        """The same for an object. Raises NoSuchObjectError."""
        with self._handle.write() as connection:
            objects.set_properties(connection, object_id, changes)

    # objects

    def objects(self, collection_id: int, since: int | None = None, until: int | None = None) -> list[ObjectRow]:
        """See objects.list_objects."""
        with self._handle.read() as connection:
            return objects.list_objects(connection, collection_id, since, until)

    def find(self, collection_id: int, name: str) -> ObjectRow | None:
        """The object of that name."""
        with self._handle.read() as connection:
            return objects.find(connection, collection_id, name)

    def located(self, object_id: int) -> tuple[Collection, ObjectRow]:
        """The object of that id and its collection. Raises NoSuchObjectError."""
        with self._handle.read() as connection:
            collection_id, row = objects.located(connection, object_id)
            return collections.by_id(connection, collection_id), row

    def collection_by_id(self, collection_id: int) -> Collection:
        """The collection of that id. Raises NoSuchCollectionError."""
        with self._handle.read() as connection:
            return collections.by_id(connection, collection_id)

    def find_all(self, collection_id: int, names: Sequence[str]) -> list[ObjectRow]:
        """The objects of these names that there are."""
        with self._handle.read() as connection:
            return objects.find_all(connection, collection_id, names)

    def by_uid(self, kind: Kind, uid: str) -> list[tuple[Collection, ObjectRow]]:
        """See objects.by_uid."""
        with self._handle.read() as connection:
            return objects.by_uid(connection, kind, uid)

    def object_properties(self, collection_id: int) -> dict[int, dict[str, bytes]]:
        """The properties that clients set on objects, by the objects' ids."""
        with self._handle.read() as connection:
            return objects.properties(connection, collection_id)

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
        guard: Guard | None = None,
        owes: Sequence[NewObject] = (),
        settles: Sequence[str] = (),
    ) -> tuple[ObjectRow, bool]:
        """See objects.put; with `settles` these records of what is owed are taken away. Raises OverQuotaError besides."""
        with self._handle.write() as connection:
            _check_writable(connection, collection_id)
            if guard is not None:
                _ask(connection, collection_id, new.name, now, guard)
            result = objects.put(connection, collection_id, new, now, if_match, if_none_match)
            if quota is not None and used(connection) > quota:
                raise OverQuotaError
            owed.keep(connection, owes, now)
            owed.settle(connection, settles, now)
            return result

    def settle(self, names: Sequence[str], now: float) -> None:
        """See owed.settle."""
        with self._handle.write() as connection:
            owed.settle(connection, names, now)

    def owed(self) -> list[tuple[str, float, bytes]]:
        """See owed.waiting."""
        with self._handle.read() as connection:
            return owed.waiting(connection)

    def delete(
        self,
        collection_id: int,
        name: str,
        now: float,
        *,
        if_match: str | None = None,
        guard: Guard | None = None,
        owes: Sequence[NewObject] = (),
    ) -> None:
        """See objects.delete."""
        with self._handle.write() as connection:
            _check_writable(connection, collection_id)
            if guard is not None:
                _ask(connection, collection_id, name, now, guard, leaves=True)
            objects.delete(connection, collection_id, name, now, if_match)
            collection = collections.by_id(connection, collection_id)
            locks.forget(connection, trees.store_path(collection.kind, collection.name, name))
            owed.keep(connection, owes, now)

    def transfer(
        self,
        source_id: int,
        source: ObjectRow,
        target_id: int,
        new: NewObject,
        now: float,
        guard: Guard,
        *,
        is_move: bool,
        replaced: Collection | None = None,
        quota: int | None = None,
        there: ObjectRow | None = None,
        owes: Sequence[NewObject] = (),
    ) -> tuple[ObjectRow, bool]:
        """Copy or move an object, which still has the ETag of `source`, with its properties; what is there is replaced.

        With `owes` that has to be `there`, or nothing.
        Raises NoSuchCollectionError, NoSuchObjectError, PreconditionFailedError, UidConflictError, OverQuotaError.
        """
        with self._handle.write() as connection:
            found = objects.find(connection, source_id, source.name)
            if found is None:
                raise NoSuchObjectError
            if found.etag != source.etag:
                raise PreconditionFailedError
            kept = objects.properties(connection, source_id).get(found.id, {})
            _check_writable(connection, target_id)
            if is_move:
                _check_writable(connection, source_id)
                _ask(connection, source_id, source.name, now, guard, leaves=True)
                collection = collections.by_id(connection, source_id)
                locks.forget(connection, trees.store_path(collection.kind, collection.name, source.name))
                objects.delete(connection, source_id, source.name, now)
            if replaced is not None:
                _delete_tree(connection, replaced, now, guard)
            _ask(connection, target_id, new.name, now, guard)
            is_looked_at = bool(owes)
            row, is_new = objects.put(
                connection,
                target_id,
                new,
                now,
                there.etag if is_looked_at and there is not None else None,
                is_looked_at and there is None,
            )
            gone = dict.fromkeys(objects.properties(connection, target_id).get(row.id, {}))
            objects.set_properties(connection, row.id, {**gone, **kept})
            if quota is not None and used(connection) > quota:
                raise OverQuotaError
            owed.keep(connection, owes, now)
            return row, is_new and replaced is None

    def replace_by_tree(
        self, target: tuple[Collection, str], source: Collection, name: str, now: float, guard: Guard, *, is_move: bool
    ) -> None:
        """Put a copy of a collection, or itself, in the place of an object. Raises NoSuchObjectError."""
        folder, replaced = target
        with self._handle.write() as connection:
            _ask(connection, folder.id, replaced, now, guard, leaves=True)
            objects.delete(connection, folder.id, replaced, now)
            if is_move:
                trees.rename(connection, source, name)
            else:
                trees.copy(connection, source, name, now, deep=True)

    def changes(self, collection_id: int, since: int | None, most: int | None = None) -> CollectionChanges:
        """See objects.changes."""
        with self._handle.read() as connection:
            return objects.changes(connection, collection_id, since, most)

    # locks

    def locks(self, path: str, now: float) -> list[Lock]:
        """The locks that protect a path."""
        with self._handle.read() as connection:
            return locks.covering(connection, path, now)

    def all_locks(self, now: float) -> list[Lock]:
        """Every lock of the mailbox."""
        with self._handle.read() as connection:
            return locks.all_locks(connection, now)

    def lock(self, new: Lock, now: float, most: int) -> list[Lock]:
        """Keep a lock, or return those that stand in its way. Raises LimitExceededError."""
        with self._handle.write() as connection:
            return locks.add(connection, new, now, most)

    def refresh_lock(self, token: str, expires_at: int) -> None:
        """Let a lock last longer."""
        with self._handle.write() as connection:
            locks.refresh(connection, token, expires_at)

    def unlock(self, token: str) -> None:
        """Take a lock off."""
        with self._handle.write() as connection:
            locks.remove(connection, token)


def _check_writable(connection: apsw.Connection, collection_id: int) -> None:
    if collections.is_made(connection, collection_id):
        raise MadeByServerError


def _create(
    connection: apsw.Connection,
    kind: Kind,
    name: str,
    components: Sequence[str],
    properties: Mapping[str, bytes] | None,
) -> Collection:
    collections.ensure_defaults(connection)
    made = collections.create(connection, kind, name, components)
    if properties:
        collections.set_properties(connection, made.id, properties)
    return made


def _delete_tree(connection: apsw.Connection, collection: Collection, now: float, guard: Guard) -> None:
    path = trees.store_path(collection.kind, collection.name)
    guard(None, locks.covering(connection, path, now, is_member_change=True))
    guard(None, locks.within(connection, path, now))
    locks.forget(connection, path)
    trees.delete(connection, collection)


def _ask(
    connection: apsw.Connection, collection_id: int, name: str, now: float, guard: Guard, *, leaves: bool = False
) -> None:
    collection = collections.by_id(connection, collection_id)
    existing = objects.find(connection, collection_id, name)
    path = trees.store_path(collection.kind, collection.name, name)
    guard(existing, locks.covering(connection, path, now, is_member_change=leaves or existing is None))
