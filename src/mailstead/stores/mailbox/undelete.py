"""Expunged messages stay hidden for some days and come back; then they go for good."""

import time
from collections.abc import Sequence

import apsw
import msgspec

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.folders import create_folder, next_modseq
from mailstead.stores.mailbox.messages import drop_unheld_messages

_BATCH = 500
RESTORED_FOLDER = "Restored"
DELIVERY_DAYS = 30  # how long a delivery id is known; nobody tries again for longer


class Expunged(msgspec.Struct, frozen=True):
    """A message that can be brought back; `folder` is the name of the folder it was in, empty when that is gone."""

    folder_id: int
    uid: int
    folder: str
    expunged_at: int
    sender: str
    subject: str
    size: int


_RESTORABLE = (
    " x.moved = 0 AND x.message_id != 0 AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.message_id = x.message_id)"
    " AND EXISTS (SELECT 1 FROM message m WHERE m.id = x.message_id)"
)


def list_expunged(connection: apsw.Connection, most: int) -> list[Expunged]:
    """What can be brought back, what was removed last first."""
    rows = select(
        connection,
        "SELECT x.folder_id, x.uid, coalesce(f.name, ''), x.expunged_at, d.from_text, d.subject, m.size FROM expunged x"
        " JOIN message m ON m.id = x.message_id JOIN field d ON d.message_id = x.message_id"
        f" LEFT JOIN folder f ON f.id = x.folder_id WHERE {_RESTORABLE} ORDER BY x.expunged_at DESC LIMIT ?",
        (most,),
    )
    return [Expunged(*row) for row in rows]


def restore_expunged(connection: apsw.Connection, since: float, only: Sequence[tuple[int, int]] | None = None) -> int:
    """Bring back what was expunged at or after `since` (epoch seconds); returns how many messages.

    With `only`, nothing but those, by folder id and uid. Each goes to the folder it was in, under a new uid and without
    \\Deleted; to the folder Restored when its own is gone. What is in a folder again already stays as it is. Inside a
    transaction.
    """
    rows = select(
        connection,
        "SELECT x.folder_id, x.uid, x.message_id, x.flags, x.keywords, f.id FROM expunged x"
        " LEFT JOIN folder f ON f.id = x.folder_id"
        f" WHERE x.expunged_at >= ? AND {_RESTORABLE} ORDER BY x.modseq, x.uid",
        (int(since),),
    )
    if only is not None:
        wanted = set(only)
        rows = [row for row in rows if (row[0], row[1]) in wanted]
    if not rows:
        return 0
    modseq = next_modseq(connection)
    now = int(time.time())
    restored: set[int] = set()
    for folder_id, uid, message_id, flags, keywords, existing in rows:
        if message_id in restored:
            continue
        restored.add(message_id)
        target = existing if existing is not None else _restored_folder(connection)
        uidnext = select(connection, "SELECT uidnext FROM folder WHERE id = ?", (target,))[0][0]
        connection.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
            (target, uidnext, flags & ~8, keywords, modseq, message_id, now),
        )
        connection.execute("UPDATE expunged SET message_id = 0 WHERE folder_id = ? AND uid = ?", (folder_id, uid))
    return len(restored)


def _restored_folder(connection: apsw.Connection) -> int:
    rows = select(connection, "SELECT id FROM folder WHERE name = ?", (RESTORED_FOLDER,))
    return int(rows[0][0]) if rows else create_folder(connection, RESTORED_FOLDER).id


def forget_deliveries(connection: apsw.Connection, before: float) -> None:
    """Forget the ids of deliveries taken before `before`. Inside a transaction."""
    connection.execute("DELETE FROM ingested WHERE at < ?", (int(before),))


def expire_expunged(connection: apsw.Connection, before: float) -> int:
    """Drop a batch of what was expunged before `before`; returns how many log rows went. Inside a transaction."""
    rows = select(
        connection,
        "SELECT folder_id, uid, message_id, modseq FROM expunged WHERE expunged_at < ? ORDER BY expunged_at LIMIT ?",
        (int(before), _BATCH),
    )
    connection.executemany("DELETE FROM expunged WHERE folder_id = ? AND uid = ?", [row[:2] for row in rows])
    connection.executemany(
        "UPDATE folder SET pruned_modseq = max(pruned_modseq, ?) WHERE id = ?", [(row[3], row[0]) for row in rows]
    )
    drop_unheld_messages(connection, [row[2] for row in rows if row[2]])
    return len(rows)
