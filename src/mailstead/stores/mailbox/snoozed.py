"""Snoozed messages: put off into a folder of their own, and back at the top of where they were when their time comes.

Every mail program sees the folder, with the attribute `\\Snoozed` of IANA's registry of mailbox name attributes. What
a program moves out of it is awake; what it moves in lies there until somebody takes it out.
"""

from collections.abc import Sequence

import apsw
import msgspec

from mailstead.stores.mailbox import entries, folders
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.handle import Handle
from mailstead.stores.mailbox.records import Copied, Folder, Ranges

FOLDER, SPECIAL_USE = "Snoozed", "\\Snoozed"
_ASLEEP = " FROM snoozed s JOIN entry e ON e.folder_id = s.folder_id AND e.uid = s.uid"


class Snoozed(msgspec.Struct, frozen=True):
    """A message that sleeps: its place now, the folder that it goes back to, and when, in epoch seconds."""

    folder_id: int
    uid: int
    back_to: int
    wake_at: int


class SnoozeStore:
    """The messages of one mailbox that were put off. Every method is one view or one transaction, on any thread."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def snooze(self, folder_id: int, uids: Sequence[int], wake_at: float) -> tuple[Folder, Copied]:
        """Put messages off until then (seconds since the epoch); where they are meanwhile. Raises NoSuchFolderError."""
        with self._handle.write() as connection:
            return snooze(connection, folder_id, uids, wake_at)

    def wake(self, now: float) -> int:
        """Put back those whose time has come; returns how many."""
        with self._handle.write() as connection:
            return wake(connection, now)

    def asleep(self) -> list[Snoozed]:
        """All that sleep, the first to wake first."""
        with self._handle.read() as connection:
            return asleep(connection)

    def next_wake(self) -> int | None:
        """When the next one wakes, in epoch seconds; None when all are awake."""
        with self._handle.plain() as connection:
            return next_wake(connection)


def snooze(connection: apsw.Connection, folder_id: int, uids: Sequence[int], wake_at: float) -> tuple[Folder, Copied]:
    """Put messages off until then; those that sleep already get the new time. Inside a transaction.

    Returns where they are. Raises NoSuchFolderError.
    """
    folders.folder_by_id(connection, folder_id)
    target = folders.filing_folder(connection, FOLDER, create=True, special_use=SPECIAL_USE)
    if target.id == folder_id:
        copied = Copied(target.uidvalidity, [(uid, uid) for uid in uids])
        back_to = folders.find_folder(connection, folders.INBOX).id
    else:
        copied = entries.move_entries(connection, folder_id, [(uid, uid) for uid in uids], target.id)
        back_to = folder_id
    connection.executemany(
        "INSERT INTO snoozed VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET wake_at = excluded.wake_at",
        [(target.id, new, back_to, int(wake_at)) for _, new in copied.pairs],
    )
    folders.next_modseq(connection)  # so that sessions hear of a new time, too
    return target, copied


def asleep(connection: apsw.Connection) -> list[Snoozed]:
    """All that sleep, the first to wake first."""
    rows = select(connection, f"SELECT s.folder_id, s.uid, s.back_to, s.wake_at{_ASLEEP} ORDER BY s.wake_at, s.uid")
    return [Snoozed(*row) for row in rows]


def next_wake(connection: apsw.Connection) -> int | None:
    """When the next one wakes, None when all are awake."""
    value = select(connection, "SELECT min(wake_at) FROM snoozed")[0][0]
    return None if value is None else int(value)


def wake(connection: apsw.Connection, now: float) -> int:
    """Put back those whose time has come: on top, the newest of each conversation unread. Returns how many.

    Inside a transaction. Where the folder is gone they go to INBOX.
    """
    due = [one for one in asleep(connection) if one.wake_at <= now]
    known = {folder.id for folder in folders.list_folders(connection)}
    inbox = folders.find_folder(connection, folders.INBOX).id
    places: dict[tuple[int, int], list[int]] = {}
    for one in due:
        places.setdefault((one.folder_id, one.back_to if one.back_to in known else inbox), []).append(one.uid)
    for (source, target), uids in places.items():
        copied = entries.move_entries(connection, source, _each(sorted(uids)), target)
        newest = dict(_threads(connection, target, [new for _, new in copied.pairs]))
        entries.store_flags(connection, target, _each(sorted(newest.values())), "remove", Flag.SEEN, (), None)
    connection.execute("DELETE FROM snoozed WHERE wake_at <= ?", (int(now),))
    return len(due)


def _each(uids: Sequence[int]) -> Ranges:
    return [(uid, uid) for uid in uids]


def _threads(connection: apsw.Connection, folder_id: int, uids: Sequence[int]) -> list[tuple[int, int]]:
    """Thread and uid of messages by ascending uid."""
    statement = (
        "SELECT m.thread_id, e.uid FROM entry e JOIN message m ON m.id = e.message_id"
        " WHERE e.folder_id = ? AND e.uid = ?"
    )
    return [(int(row[0]), int(row[1])) for uid in uids for row in select(connection, statement, (folder_id, uid))]
