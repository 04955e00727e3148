"""Objects of a collection and what changed since a token."""

import hashlib
from collections.abc import Mapping, Sequence

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav.collections import by_id
from mailstead.stores.mailbox.dav.records import (
    Collection,
    CollectionChanges,
    InvalidTokenError,
    Kind,
    NewObject,
    NoSuchObjectError,
    ObjectRow,
    PreconditionFailedError,
    UidConflictError,
)
from mailstead.stores.mailbox.folders import next_modseq

_COLUMNS = "id, name, uid, component, etag, size, changed_at, schedule_tag"
_ALWAYS, _NEVER_ENDS = -(2**62), 2**62
_GROUP = 500


def etag_of(data: bytes) -> str:
    """A strong ETag: the same octets have the same one."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def list_objects(
    connection: apsw.Connection, collection_id: int, since: int | None = None, until: int | None = None
) -> list[ObjectRow]:
    """All objects by name; with a range only those that may have an instance within `since` to `until`."""
    rows = select(
        connection,
        f"SELECT {_COLUMNS} FROM dav_object WHERE collection_id = ? AND starts_at <= ? AND ends_at >= ? ORDER BY name",
        (
            collection_id,
            _NEVER_ENDS if until is None else until,
            _ALWAYS if since is None else since,
        ),
    )
    return [ObjectRow(*row) for row in rows]


def find(connection: apsw.Connection, collection_id: int, name: str) -> ObjectRow | None:
    """The object of that name."""
    rows = select(
        connection, f"SELECT {_COLUMNS} FROM dav_object WHERE collection_id = ? AND name = ?", (collection_id, name)
    )
    return ObjectRow(*rows[0]) if rows else None


def located(connection: apsw.Connection, object_id: int) -> tuple[int, ObjectRow]:
    """The object of that id and its collection's id. Raises NoSuchObjectError."""
    rows = select(connection, f"SELECT collection_id, {_COLUMNS} FROM dav_object WHERE id = ?", (object_id,))
    if not rows:
        raise NoSuchObjectError
    return rows[0][0], ObjectRow(*rows[0][1:])


def find_all(connection: apsw.Connection, collection_id: int, names: Sequence[str]) -> list[ObjectRow]:
    """The objects of these names that there are, in no order."""
    found: list[ObjectRow] = []
    for start in range(0, len(names), _GROUP):
        group = names[start : start + _GROUP]
        marks = ",".join("?" * len(group))
        rows = select(
            connection,
            f"SELECT {_COLUMNS} FROM dav_object WHERE collection_id = ? AND name IN ({marks})",
            (collection_id, *group),
        )
        found += [ObjectRow(*row) for row in rows]
    return found


def by_uid(connection: apsw.Connection, kind: Kind, uid: str) -> list[tuple[Collection, ObjectRow]]:
    """The objects of that UID in all collections of a kind, the oldest collection first."""
    columns = ", ".join(f"o.{name}" for name in _COLUMNS.split(", "))
    rows = select(
        connection,
        f"SELECT c.id, {columns} FROM dav_object o JOIN dav_collection c ON c.id = o.collection_id"
        " WHERE o.uid = ? AND c.kind = ? ORDER BY c.id",
        (uid, kind),
    )
    return [(by_id(connection, row[0]), ObjectRow(*row[1:])) for row in rows]


def read(connection: apsw.Connection, identifiers: Sequence[int]) -> dict[int, bytes]:
    """The octets of objects by their ids; what is gone is left out."""
    found: dict[int, bytes] = {}
    for start in range(0, len(identifiers), _GROUP):
        group = identifiers[start : start + _GROUP]
        marks = ",".join("?" * len(group))
        found.update(select(connection, f"SELECT object_id, data FROM dav_content WHERE object_id IN ({marks})", group))
    return found


def properties(connection: apsw.Connection, collection_id: int) -> dict[int, dict[str, bytes]]:
    """The properties that clients set on the objects of a collection, by their ids."""
    found: dict[int, dict[str, bytes]] = {}
    for identifier, name, value in select(
        connection,
        "SELECT p.object_id, p.name, p.value FROM dav_object_property p JOIN dav_object o ON o.id = p.object_id"
        " WHERE o.collection_id = ?",
        (collection_id,),
    ):
        found.setdefault(identifier, {})[name] = value
    return found


def set_properties(connection: apsw.Connection, object_id: int, changes: Mapping[str, bytes | None]) -> None:
    """Set properties of an object, or remove those that are None. Raises NoSuchObjectError."""
    if not select(connection, "SELECT 1 FROM dav_object WHERE id = ?", (object_id,)):
        raise NoSuchObjectError
    next_modseq(connection)
    for name, value in changes.items():
        if value is None:
            connection.execute("DELETE FROM dav_object_property WHERE object_id = ? AND name = ?", (object_id, name))
        else:
            connection.execute("INSERT OR REPLACE INTO dav_object_property VALUES (?, ?, ?)", (object_id, name, value))


def _check(existing: ObjectRow | None, if_match: str | None, if_none_match: bool) -> None:
    """RFC 9110 §13.1. Raises PreconditionFailedError."""
    if if_none_match and existing is not None:
        raise PreconditionFailedError
    if if_match is not None and (existing is None or if_match not in ("*", existing.etag)):
        raise PreconditionFailedError


def put(
    connection: apsw.Connection,
    collection_id: int,
    new: NewObject,
    now: float,
    if_match: str | None = None,
    if_none_match: bool = False,
) -> tuple[ObjectRow, bool]:
    """Store an object; the row and whether it is new. `if_match` is an ETag or `*`.

    A UID is one object's of a collection, and an object keeps the UID that it has.

    Raises NoSuchCollectionError, PreconditionFailedError, UidConflictError.
    """
    by_id(connection, collection_id)
    existing = find(connection, collection_id, new.name)
    _check(existing, if_match, if_none_match)
    same = select(
        connection,
        "SELECT name FROM dav_object WHERE collection_id = ? AND uid = ? AND name != ?",
        (collection_id, new.uid, new.name),
    )
    if same:
        raise UidConflictError(same[0][0])
    if existing is not None and existing.uid != new.uid:
        raise UidConflictError(existing.name)  # one object does not become another (RFC 4791 §5.3.2.1)
    etag = etag_of(new.data)
    if existing is not None and existing.etag == etag:
        return existing, False  # the same octets: nothing changed that a client would have to fetch
    token = next_modseq(connection)
    values = (
        new.uid,
        new.component,
        etag,
        len(new.data),
        token,
        int(now),
        _ALWAYS if new.starts_at is None else new.starts_at,
        _NEVER_ENDS if new.ends_at is None else new.ends_at,
        new.schedule_tag,
    )
    if existing is None:
        connection.execute(
            "INSERT INTO dav_object(uid, component, etag, size, token, changed_at, starts_at, ends_at, schedule_tag,"
            " collection_id, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, collection_id, new.name),
        )
        identifier = connection.last_insert_rowid()
        connection.execute("DELETE FROM dav_tombstone WHERE collection_id = ? AND name = ?", (collection_id, new.name))
    else:
        identifier = existing.id
        connection.execute(
            "UPDATE dav_object SET uid = ?, component = ?, etag = ?, size = ?, token = ?, changed_at = ?,"
            " starts_at = ?, ends_at = ?, schedule_tag = ? WHERE id = ?",
            (*values, identifier),
        )
    connection.execute("INSERT OR REPLACE INTO dav_content VALUES (?, ?)", (identifier, new.data))
    grown = len(new.data) - (0 if existing is None else existing.size)
    _count(connection, collection_id, token, grown, int(existing is None))
    row = ObjectRow(identifier, new.name, new.uid, new.component, etag, len(new.data), int(now), new.schedule_tag)
    return row, existing is None


def delete(connection: apsw.Connection, collection_id: int, name: str, now: float, if_match: str | None = None) -> None:
    """Delete an object; its tombstone stays. Raises NoSuchObjectError, PreconditionFailedError."""
    existing = find(connection, collection_id, name)
    _check(existing, if_match, False)
    if existing is None:
        raise NoSuchObjectError
    token = next_modseq(connection)
    connection.execute("DELETE FROM dav_object WHERE id = ?", (existing.id,))
    connection.execute("DELETE FROM dav_content WHERE object_id = ?", (existing.id,))
    connection.execute("DELETE FROM dav_object_property WHERE object_id = ?", (existing.id,))
    connection.execute("INSERT INTO dav_tombstone VALUES (?, ?, ?, ?)", (collection_id, name, token, int(now)))
    _count(connection, collection_id, token, -existing.size, -1)


def _count(connection: apsw.Connection, collection_id: int, token: int, size: int, objects: int) -> None:
    connection.execute(
        "UPDATE dav_collection SET token = ?, size = size + ?, objects = objects + ? WHERE id = ?",
        (token, size, objects, collection_id),
    )


def changes(
    connection: apsw.Connection, collection_id: int, since: int | None, most: int | None = None
) -> CollectionChanges:
    """What changed after the token `since` (None: everything there is), at most `most` in order of change.

    Raises NoSuchCollectionError, InvalidTokenError.
    """
    collection = by_id(connection, collection_id)
    ((pruned_at,),) = select(connection, "SELECT pruned_at FROM dav_collection WHERE id = ?", (collection_id,))
    if since is not None and not pruned_at <= since <= collection.token:
        raise InvalidTokenError
    after = 0 if since is None else since
    limit = -1 if most is None else most + 1
    rows = select(
        connection,
        f"SELECT token, {_COLUMNS} FROM dav_object WHERE collection_id = ? AND token > ? ORDER BY token LIMIT ?",
        (collection_id, after, limit),
    )
    gone: list[tuple[int, str]] = []
    if since is not None:
        gone = [
            (token, name)
            for token, name in select(
                connection,
                "SELECT token, name FROM dav_tombstone WHERE collection_id = ? AND token > ? ORDER BY token LIMIT ?",
                (collection_id, after, limit),
            )
        ]
    token, is_more = collection.token, False
    if most is not None and len(rows) + len(gone) > most:
        token = sorted([row[0] for row in rows] + [one[0] for one in gone])[most - 1]
        is_more = True
    return CollectionChanges(
        [ObjectRow(*row[1:]) for row in rows if row[0] <= token],
        [name for at, name in gone if at <= token],
        token,
        is_more,
    )


def expire(connection: apsw.Connection, before: float) -> int:
    """Drop tombstones of what was deleted before; tokens as old as these are no longer valid. How many."""
    rows = select(
        connection,
        "SELECT collection_id, max(token), count(*) FROM dav_tombstone WHERE deleted_at < ? GROUP BY collection_id",
        (int(before),),
    )
    for collection_id, token, _ in rows:
        connection.execute("UPDATE dav_collection SET pruned_at = ? WHERE id = ?", (token, collection_id))
    connection.execute("DELETE FROM dav_tombstone WHERE deleted_at < ?", (int(before),))
    return sum(int(row[2]) for row in rows)
