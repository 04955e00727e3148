"""Collections and their properties."""

from collections.abc import Mapping, Sequence

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError, Kind, NoSuchCollectionError
from mailstead.stores.mailbox.folders import next_modseq

_MADE = "dav.made."  # and the id: a collection that the server fills
_COLUMNS = (
    "id, kind, name, components, token, size, objects,"
    f" EXISTS (SELECT 1 FROM setting WHERE setting.name = '{_MADE}' || dav_collection.id)"
)
_SETTING = "dav.defaults"
# What a mailbox has from its first use on
DEFAULTS: tuple[tuple[Kind, str, tuple[str, ...]], ...] = (
    ("calendar", "default", ("VEVENT",)),
    ("calendar", "tasks", ("VTODO",)),
    ("addressbook", "default", ()),
)
# What collections are called that nobody gave a name to
TITLES: Mapping[tuple[str, str], str] = {
    ("calendar", "default"): "Calendar",
    ("calendar", "tasks"): "Tasks",
    ("calendar", "birthdays"): "Birthdays",
    ("addressbook", "default"): "Contacts",
}


def _collection(row: tuple[object, ...]) -> Collection:
    identifier, kind, name, components, token, size, objects, is_made = row
    return Collection(identifier, kind, name, tuple(str(components).split()), token, size, objects, bool(is_made))  # type: ignore[arg-type] # SQLite's columns


def ensure_defaults(connection: apsw.Connection) -> None:
    """Make the collections of a new mailbox, once: those that are deleted later do not come back."""
    if select(connection, "SELECT 1 FROM setting WHERE name = ?", (_SETTING,)):
        return
    for kind, name, components in DEFAULTS:
        create(connection, kind, name, components)
    connection.execute("INSERT INTO setting VALUES (?, ?)", (_SETTING, b"1"))


def has_defaults(connection: apsw.Connection) -> bool:
    """Whether ensure_defaults was done."""
    return bool(select(connection, "SELECT 1 FROM setting WHERE name = ?", (_SETTING,)))


def list_collections(connection: apsw.Connection, kind: Kind) -> list[Collection]:
    """All collections of a kind by name."""
    rows = select(connection, f"SELECT {_COLUMNS} FROM dav_collection WHERE kind = ? ORDER BY name", (kind,))
    return [_collection(row) for row in rows]


def find(connection: apsw.Connection, kind: Kind, name: str) -> Collection:
    """The collection. Raises NoSuchCollectionError."""
    rows = select(connection, f"SELECT {_COLUMNS} FROM dav_collection WHERE kind = ? AND name = ?", (kind, name))
    if not rows:
        raise NoSuchCollectionError
    return _collection(rows[0])


def by_id(connection: apsw.Connection, collection_id: int) -> Collection:
    """The collection. Raises NoSuchCollectionError."""
    rows = select(connection, f"SELECT {_COLUMNS} FROM dav_collection WHERE id = ?", (collection_id,))
    if not rows:
        raise NoSuchCollectionError
    return _collection(rows[0])


def create(connection: apsw.Connection, kind: Kind, name: str, components: Sequence[str]) -> Collection:
    """Make an empty collection. Raises CollectionExistsError."""
    token = next_modseq(connection)
    try:
        connection.execute(
            "INSERT INTO dav_collection(kind, name, components, token, made_at, pruned_at) VALUES (?, ?, ?, ?, ?, ?)",
            (kind, name, " ".join(components), token, token, token),
        )
    except apsw.ConstraintError:
        raise CollectionExistsError from None
    return find(connection, kind, name)


def delete(connection: apsw.Connection, collection_id: int) -> None:
    """Delete a collection with all that is in it. Raises NoSuchCollectionError."""
    by_id(connection, collection_id)
    next_modseq(connection)
    for table in ("dav_content", "dav_object_property"):
        connection.execute(
            f"DELETE FROM {table} WHERE object_id IN (SELECT id FROM dav_object WHERE collection_id = ?)",
            (collection_id,),
        )
    for table in ("dav_object", "dav_tombstone", "dav_property"):
        connection.execute(f"DELETE FROM {table} WHERE collection_id = ?", (collection_id,))
    connection.execute("DELETE FROM dav_collection WHERE id = ?", (collection_id,))
    connection.execute("DELETE FROM setting WHERE name = ?", (f"{_MADE}{collection_id}",))


def mark_made(connection: apsw.Connection, collection_id: int) -> None:
    """It is the server alone that fills this collection."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (f"{_MADE}{collection_id}", b"1"))


def is_made(connection: apsw.Connection, collection_id: int) -> bool:
    """Whether mark_made was done for it."""
    return bool(select(connection, "SELECT 1 FROM setting WHERE name = ?", (f"{_MADE}{collection_id}",)))


def properties(connection: apsw.Connection, collection_id: int) -> dict[str, bytes]:
    """The properties that clients set."""
    return dict(select(connection, "SELECT name, value FROM dav_property WHERE collection_id = ?", (collection_id,)))


def set_properties(connection: apsw.Connection, collection_id: int, changes: Mapping[str, bytes | None]) -> None:
    """Set properties, or remove those that are None; all in this transaction. Raises NoSuchCollectionError."""
    by_id(connection, collection_id)
    next_modseq(connection)
    for name, value in changes.items():
        if value is None:
            connection.execute("DELETE FROM dav_property WHERE collection_id = ? AND name = ?", (collection_id, name))
        else:
            connection.execute("INSERT OR REPLACE INTO dav_property VALUES (?, ?, ?)", (collection_id, name, value))
