"""Conversations: which message of a folder stands for its thread, and what belongs to a thread."""

import apsw
import msgspec

from mailstead.stores.mailbox.connection import select

# The order is said: left to itself SQLite may go through all of the folder for each message of the thread
WHOLE_THREAD = (
    "SELECT e.uid FROM entry o CROSS JOIN message m ON m.id = o.message_id"
    " CROSS JOIN message n INDEXED BY message_thread ON n.thread_id = m.thread_id"
    " CROSS JOIN entry e INDEXED BY entry_message ON e.message_id = n.id AND e.folder_id = o.folder_id"
    " WHERE o.folder_id = ? AND o.uid = ?"
)


class ThreadHead(msgspec.Struct, frozen=True):
    """A thread as a folder has it: its newest uid there, how many messages it has there, and how many are unseen."""

    thread_id: int
    uid: int
    messages: int
    unseen: int


def thread_heads(connection: apsw.Connection, folder_id: int, first: int, last: int) -> list[ThreadHead]:
    """The threads of the entries from uid `first` to `last`, as the whole folder has them."""
    rows = select(
        connection,
        "WITH wanted AS (SELECT DISTINCT m.thread_id FROM entry e JOIN message m ON m.id = e.message_id"
        " WHERE e.folder_id = ? AND e.uid BETWEEN ? AND ?)"
        " SELECT m.thread_id, max(e.uid), count(*), sum(e.flags & 1 = 0) FROM wanted w"
        " CROSS JOIN message m INDEXED BY message_thread ON m.thread_id = w.thread_id"
        " CROSS JOIN entry e INDEXED BY entry_message ON e.message_id = m.id AND e.folder_id = ?"
        " GROUP BY m.thread_id",
        (folder_id, first, last, folder_id),
    )
    return [ThreadHead(*row) for row in rows]


def thread_entries(connection: apsw.Connection, thread_id: int, most: int) -> list[tuple[int, int, int]]:
    """Folder, uid and message id of a thread's latest `most` entries, the oldest first."""
    rows = select(
        connection,
        "SELECT e.folder_id, e.uid, e.message_id FROM message m INDEXED BY message_thread"
        " CROSS JOIN entry e INDEXED BY entry_message ON e.message_id = m.id"
        " WHERE m.thread_id = ? ORDER BY coalesce(m.sent_at, m.internal_date) DESC, m.id DESC LIMIT ?",
        (thread_id, most),
    )
    return [(int(folder), int(uid), int(message)) for folder, uid, message in reversed(rows)]


def whole_threads(connection: apsw.Connection, folder_id: int, uids: list[int]) -> list[int]:
    """Ascending uids of all messages of a folder that share a thread with one of `uids`."""
    found: set[int] = set()
    for uid in uids:
        found.update(int(row[0]) for row in select(connection, WHOLE_THREAD, (folder_id, uid)))
    return sorted(found)
