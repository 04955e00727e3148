"""Entries: which messages are in which folder, under which uid, with which flags."""

import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import apsw

from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import Flag, changed_keywords
from mailstead.stores.mailbox.folders import next_modseq
from mailstead.stores.mailbox.lessons import note_move
from mailstead.stores.mailbox.records import Changes, Copied, EntryRow, Operation, Ranges, Stored

# Columns that a reader may ask for, and the table each comes from
COLUMNS = {
    "uid": "e.uid",
    "flags": "e.flags",
    "keywords": "e.keywords",
    "modseq": "e.modseq",
    "saved_at": "e.saved_at",
    "message_id": "e.message_id",
    "size": "m.size",
    "internal_date": "m.internal_date",
    "sent_at": "m.sent_at",
    "thread_id": "m.thread_id",
    "preview": "m.preview",
    "envelope": "v.envelope",
    "bodystructure": "s.bodystructure",
    "body": "s.body",
    "parts": "c.parts",
    "recipe": "c.recipe",
}
_JOINS = {
    "m": "JOIN message m ON m.id = e.message_id",
    "v": "JOIN envelope v ON v.message_id = e.message_id",
    "s": "JOIN structure s ON s.message_id = e.message_id",
    "c": "JOIN content c ON c.message_id = e.message_id",
}
UID_MOST = 2**32 - 1


def all_entries(connection: apsw.Connection, folder_id: int, after_uid: int) -> list[EntryRow]:
    """uid, flags, keywords and modseq of all entries past `after_uid`, by uid."""
    statement = "SELECT uid, flags, keywords, modseq FROM entry WHERE folder_id = ? AND uid > ? ORDER BY uid"
    return select(connection, statement, (folder_id, after_uid))


def rows_statement(columns: Sequence[str]) -> str:
    """The statement for `columns` of entries of one folder between two uids."""
    chosen = [COLUMNS[column] for column in columns]
    joins = " ".join(_JOINS[table] for table in dict.fromkeys(column[0] for column in chosen) if table != "e")
    return (
        f"SELECT {', '.join(chosen)} FROM entry e {joins}"
        " WHERE e.folder_id = ? AND e.uid BETWEEN ? AND ? ORDER BY e.uid LIMIT ?"
    )


@cache
def page_statement(columns: tuple[str, ...]) -> str:
    """The statement for all rows of `columns` between two uids of a folder."""
    return rows_statement(columns).removesuffix(" LIMIT ?")


def read_rows(
    connection: apsw.Connection, folder_id: int, ranges: Ranges, columns: Sequence[str], chunk: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of `columns` for the uids in `ranges`, at most `chunk` at a time; the first column must be uid."""
    statement = rows_statement(columns)
    held: list[tuple[Any, ...]] = []
    for first, last in ranges:
        low = first
        while low <= last:
            found = select(connection, statement, (folder_id, low, last, chunk))
            held.extend(found)
            if len(held) >= chunk:
                yield held
                held = []
            if len(found) < chunk:
                break
            low = found[-1][0] + 1
    if held:
        yield held


def changes_since(connection: apsw.Connection, folder_id: int, modseq: int) -> Changes:
    """Entries and expunged uids with a later modseq, in one consistent view when inside a read transaction."""
    entries = select(
        connection,
        "SELECT uid, flags, keywords, modseq FROM entry WHERE folder_id = ? AND modseq > ? ORDER BY uid",
        (folder_id, modseq),
    )
    expunged = select(
        connection, "SELECT uid FROM expunged WHERE folder_id = ? AND modseq > ? ORDER BY uid", (folder_id, modseq)
    )
    highest = select(connection, "SELECT highestmodseq, uidnext FROM folder WHERE id = ?", (folder_id,))
    if not highest:
        raise NoSuchFolderError
    return Changes(entries, [row[0] for row in expunged], *highest[0])


def deleted_size(connection: apsw.Connection, folder_id: int) -> int:
    """Octets of the messages of a folder that have \\Deleted."""
    statement = (
        "SELECT coalesce(sum(m.size), 0) FROM entry e JOIN message m ON m.id = e.message_id"
        " WHERE e.folder_id = ? AND e.flags & 8"
    )
    return int(select(connection, statement, (folder_id,))[0][0])


def expunged_since(connection: apsw.Connection, folder_id: int, modseq: int) -> list[int]:
    """Uids that left a folder after `modseq`, ascending."""
    statement = "SELECT uid FROM expunged WHERE folder_id = ? AND modseq > ? ORDER BY uid"
    return [row[0] for row in select(connection, statement, (folder_id, modseq))]


_SEEN, _DELETED = Flag.SEEN.value, Flag.DELETED.value
_SET_BITS = {
    "add": "UPDATE entry SET flags = flags | ?, modseq = ? WHERE folder_id = ? AND uid BETWEEN ? AND ? AND ~flags & ?",
    "remove": "UPDATE entry SET flags = flags & ~?, modseq = ? WHERE folder_id = ? AND uid BETWEEN ? AND ? AND flags & ?",
}


def store_flags(
    connection: apsw.Connection,
    folder_id: int,
    ranges: Ranges,
    operation: Operation,
    flags: int,
    keywords: Sequence[str],
    unchanged_since: int | None,
) -> Stored:
    """Change flags (RFC 9051 §6.4.6, RFC 7162 §3.1.3). Entries that are as asked already keep their modseq.

    Inside a transaction. Raises NoSuchFolderError.
    """
    folder = select(connection, "SELECT highestmodseq FROM folder WHERE id = ?", (folder_id,))
    if not folder:
        raise NoSuchFolderError
    before: int = folder[0][0]
    modseq = unseen = deleted = 0
    changed: list[EntryRow] = []
    modified: list[int] = []
    in_one = operation != "replace" and not keywords and unchanged_since is None
    for first, last in ranges:
        rows = select(
            connection,
            "SELECT uid, flags, keywords, modseq FROM entry WHERE folder_id = ? AND uid BETWEEN ? AND ? ORDER BY uid",
            (folder_id, first, last),
        )
        updates = []
        for row in rows:
            uid, old_flags, old_keywords, old_modseq = row
            if unchanged_since is not None and old_modseq > unchanged_since:
                modified.append(uid)
                continue
            if operation == "add":
                new_flags = old_flags | flags
            else:
                new_flags = old_flags & ~flags if operation == "remove" else flags
            new_keywords = old_keywords
            if keywords or operation == "replace":
                new_keywords = changed_keywords(old_keywords, operation, keywords)
            if new_flags == old_flags and new_keywords == old_keywords:
                changed.append(row)
                continue
            modseq = modseq or next_modseq(connection)
            unseen += (old_flags & _SEEN) - (new_flags & _SEEN)
            deleted += (new_flags & _DELETED) - (old_flags & _DELETED)
            updates.append((new_flags, new_keywords, modseq, folder_id, uid))
            changed.append((uid, new_flags, new_keywords, modseq))
        if updates and in_one:
            connection.execute(_SET_BITS[operation], (flags, modseq, folder_id, first, last, flags))
        elif updates:
            connection.executemany(
                "UPDATE entry SET flags = ?, keywords = ?, modseq = ? WHERE folder_id = ? AND uid = ?", updates
            )
    if modseq:
        connection.execute(
            "UPDATE folder SET highestmodseq = ?, unseen = unseen + ?, deleted = deleted + ? WHERE id = ?",
            (modseq, unseen // _SEEN, deleted // _DELETED, folder_id),
        )
    return Stored(changed, modified, before, modseq or before)


def _uids(connection: apsw.Connection, folder_id: int, ranges: Ranges) -> list[int]:
    found: list[int] = []
    for first, last in ranges:
        statement = "SELECT uid FROM entry WHERE folder_id = ? AND uid BETWEEN ? AND ? ORDER BY uid"
        found.extend(row[0] for row in select(connection, statement, (folder_id, first, last)))
    return found


def copy_entries(
    connection: apsw.Connection, folder_id: int, ranges: Ranges, target_id: int, *, moved: bool = False
) -> Copied:
    """Put the same messages into another folder, flags and dates kept; see `Copied` for what that teaches.

    Inside a transaction.
    """
    target = select(connection, "SELECT uidvalidity, uidnext FROM folder WHERE id = ?", (target_id,))
    uidvalidity, uidnext = target[0]
    uids = _uids(connection, folder_id, ranges)
    if not uids:
        return Copied(uidvalidity, [])
    teaches = note_move(connection, folder_id, target_id, uids, moved=moved)
    modseq = next_modseq(connection)
    now = int(time.time())
    pairs = [(uid, uidnext + place) for place, uid in enumerate(uids)]
    connection.executemany(
        "INSERT INTO entry SELECT ?, ?, flags, keywords, ?, message_id, ? FROM entry WHERE folder_id = ? AND uid = ?",
        [(target_id, new, modseq, now, folder_id, uid) for uid, new in pairs],
    )
    return Copied(uidvalidity, pairs, teaches)


def move_entries(connection: apsw.Connection, folder_id: int, ranges: Ranges, target_id: int) -> Copied:
    """Copy, then remove from the source in the same transaction (RFC 6851 §3.3)."""
    copied = copy_entries(connection, folder_id, ranges, target_id, moved=True)
    if copied.pairs:
        remove_entries(connection, folder_id, [uid for uid, _ in copied.pairs], moved=True)
    return copied


def expunge_entries(connection: apsw.Connection, folder_id: int, ranges: Ranges | None) -> list[int]:
    """Remove entries with \\Deleted, all or those in `ranges`; returns their uids. Inside a transaction."""
    found: list[int] = []
    for first, last in ranges if ranges is not None else [(1, UID_MOST)]:
        statement = "SELECT uid FROM entry WHERE folder_id = ? AND uid BETWEEN ? AND ? AND flags & 8 ORDER BY uid"
        found.extend(row[0] for row in select(connection, statement, (folder_id, first, last)))
    remove_entries(connection, folder_id, found, moved=False)
    return found


def remove_entries(connection: apsw.Connection, folder_id: int, uids: Sequence[int], *, moved: bool) -> None:
    """Take entries out and note that for QRESYNC and, unless `moved`, for undelete. Inside a transaction."""
    if not uids:
        return
    modseq = next_modseq(connection)
    now = int(time.time())
    connection.executemany(
        "INSERT OR REPLACE INTO expunged SELECT folder_id, uid, ?, message_id, flags, keywords, ?, ? FROM entry"
        " WHERE folder_id = ? AND uid = ?",
        [(modseq, now, moved, folder_id, uid) for uid in uids],
    )
    connection.executemany("DELETE FROM entry WHERE folder_id = ? AND uid = ?", [(folder_id, uid) for uid in uids])
    connection.execute("UPDATE folder SET highestmodseq = ? WHERE id = ?", (modseq, folder_id))
