"""What a change of an object owes to others: kept in the transaction of the change, taken away when it is done.

The records are objects of a collection that no protocol shows. What is not in it was done, or was never owed: a change
that does not come about leaves none.
"""

from collections.abc import Sequence

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav import collections, objects
from mailstead.stores.mailbox.dav.records import Kind, NewObject, NoSuchCollectionError

_KIND: Kind = "outbox"
_NAME = "owed"


def keep(connection: apsw.Connection, records: Sequence[NewObject], now: float) -> None:
    """Put records down."""
    if not records:
        return
    try:
        collection = collections.find(connection, _KIND, _NAME)
    except NoSuchCollectionError:
        collection = collections.create(connection, _KIND, _NAME, ())
    for record in records:
        objects.put(connection, collection.id, record, now)


def settle(connection: apsw.Connection, names: Sequence[str], now: float) -> None:
    """Take records away; those that are gone already are no fault."""
    for name in names:
        collection = collections.find(connection, _KIND, _NAME)
        if objects.find(connection, collection.id, name) is None:
            continue
        objects.delete(connection, collection.id, name, now)
        # nobody follows this collection: nothing has to remember what was in it
        connection.execute("DELETE FROM dav_tombstone WHERE collection_id = ? AND name = ?", (collection.id, name))


def waiting(connection: apsw.Connection) -> list[tuple[str, float, bytes]]:
    """All records, the oldest first: name, when it was put down in seconds since 1970, octets."""
    return select(
        connection,
        "SELECT o.name, o.changed_at, c.data FROM dav_object o JOIN dav_content c ON c.object_id = o.id"
        " JOIN dav_collection k ON k.id = o.collection_id WHERE k.kind = ? AND k.name = ? ORDER BY o.id",
        (_KIND, _NAME),
    )
