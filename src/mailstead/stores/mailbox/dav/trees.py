"""Collections with what is below them: folders of files may be nested, calendars and address books stand alone."""

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav import collections
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError, Kind
from mailstead.stores.mailbox.folders import next_modseq


def store_path(kind: Kind, *names: str) -> str:
    """What locks call a resource."""
    return "/".join((kind, *(name for name in names if name)))


def joined(folder: str, name: str) -> str:
    """The name of a collection in a folder."""
    return f"{folder}/{name}" if folder else name


def below(connection: apsw.Connection, collection: Collection) -> list[Collection]:
    """The collections within one, at any depth, by name."""
    if collection.kind != "files":
        return []
    prefix = f"{collection.name}/" if collection.name else ""
    return [
        one
        for one in collections.list_collections(connection, collection.kind)
        if one.name.startswith(prefix) and one.id != collection.id
    ]


def children(connection: apsw.Connection, collection: Collection) -> list[Collection]:
    """The collections directly within one."""
    start = len(collection.name) + 1 if collection.name else 0
    return [one for one in below(connection, collection) if "/" not in one.name[start:]]


def delete(connection: apsw.Connection, collection: Collection) -> None:
    """Delete a collection and all that is in it. Raises NoSuchCollectionError."""
    for one in (*below(connection, collection), collection):
        collections.delete(connection, one.id)


def copy(connection: apsw.Connection, source: Collection, name: str, now: float, *, deep: bool) -> None:
    """Copy a collection, with all that is in it when `deep`. Raises CollectionExistsError."""
    _copy_one(connection, source, name, now, with_objects=deep)
    if deep:
        for one in below(connection, source):
            _copy_one(connection, one, name + one.name[len(source.name) :], now, with_objects=True)


def _copy_one(connection: apsw.Connection, source: Collection, name: str, now: float, *, with_objects: bool) -> None:
    made = collections.create(connection, source.kind, name, source.components)
    connection.execute(
        "INSERT INTO dav_property SELECT ?, name, value FROM dav_property WHERE collection_id = ?", (made.id, source.id)
    )
    if not with_objects:
        return
    token = next_modseq(connection)
    for (identifier,) in select(connection, "SELECT id FROM dav_object WHERE collection_id = ?", (source.id,)):
        connection.execute(
            "INSERT INTO dav_object(collection_id, name, uid, component, etag, size, token, changed_at, starts_at,"
            " ends_at, schedule_tag) SELECT ?, name, uid, component, etag, size, ?, ?, starts_at, ends_at, schedule_tag"
            " FROM dav_object WHERE id = ?",
            (made.id, token, int(now), identifier),
        )
        copied = connection.last_insert_rowid()
        connection.execute(
            "INSERT INTO dav_content SELECT ?, data FROM dav_content WHERE object_id = ?", (copied, identifier)
        )
        connection.execute(
            "INSERT INTO dav_object_property SELECT ?, name, value FROM dav_object_property WHERE object_id = ?",
            (copied, identifier),
        )
    connection.execute(
        "UPDATE dav_collection SET token = ?, size = ?, objects = ? WHERE id = ?",
        (token, source.size, source.objects, made.id),
    )


def rename(connection: apsw.Connection, source: Collection, name: str) -> None:
    """Give a collection another name, and those below it with it. Raises CollectionExistsError."""
    next_modseq(connection)
    for one in (source, *below(connection, source)):
        try:
            connection.execute(
                "UPDATE dav_collection SET name = ? WHERE id = ?", (name + one.name[len(source.name) :], one.id)
            )
        except apsw.ConstraintError:
            raise CollectionExistsError from None
