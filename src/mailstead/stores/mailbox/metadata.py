"""Notes that clients keep on folders and on the mailbox (RFC 5464); folder 0 stands for the mailbox."""

from collections.abc import Sequence

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.folders import next_modseq


def read(connection: apsw.Connection, folder_id: int) -> dict[str, bytes]:
    """All entries, by name."""
    statement = "SELECT name, value FROM metadata WHERE folder_id = ? ORDER BY name"
    return dict(select(connection, statement, (folder_id,)))


def read_all(connection: apsw.Connection) -> dict[tuple[int, str], bytes]:
    """All entries of all folders."""
    return {(row[0], row[1]): row[2] for row in select(connection, "SELECT folder_id, name, value FROM metadata")}


def keep(connection: apsw.Connection, folder_id: int, values: Sequence[tuple[str, bytes | None]], most: int) -> bool:
    """Set entries, remove those whose value is None; False, and nothing done, when more than `most` would be there.

    Inside a transaction.
    """
    held = set(read(connection, folder_id))
    for name, value in values:
        held = held - {name} if value is None else held | {name}
    if len(held) > most:
        return False
    for name, value in values:
        if value is None:
            connection.execute("DELETE FROM metadata WHERE folder_id = ? AND name = ?", (folder_id, name))
        else:
            connection.execute("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?)", (folder_id, name, value))
    next_modseq(connection)  # so that sessions hear of it
    return True
