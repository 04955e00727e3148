"""Folders: names, hierarchy, subscriptions, counts."""

import time

import apsw

from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.errors import FolderExistsError, FolderNotDeletableError, NoSuchFolderError
from mailstead.stores.mailbox.records import Folder, FolderStatus

SEPARATOR = "/"
INBOX = "INBOX"
JUNK = "Junk"
_COLUMNS = "id, name, special_use, uidvalidity, uidnext, highestmodseq"
NAME_LIMIT = 1000
DEPTH_LIMIT = 32


def used(connection: apsw.Connection) -> int:
    """Octets that count against the quota: messages in folders, and objects of calendars and address books."""
    ((size,),) = select(
        connection,
        "SELECT (SELECT coalesce(sum(size), 0) FROM folder) + (SELECT coalesce(sum(size), 0) FROM dav_collection)",
    )
    return int(size)


def next_modseq(connection: apsw.Connection) -> int:
    """A modseq that nothing in the mailbox has yet. Inside the transaction that uses it."""
    return int(select(connection, "UPDATE counter SET value = value + 1 WHERE name = 'modseq' RETURNING value")[0][0])


def _next_uidvalidity(connection: apsw.Connection, now: int) -> int:
    """Grows with every folder made, so that no name ever gets an old one back (RFC 9051 §2.3.1.1)."""
    statement = "UPDATE counter SET value = max(value + 1, ?) WHERE name = 'uidvalidity' RETURNING value"
    return int(select(connection, statement, (now,))[0][0])


def normal_name(name: str) -> str:
    """The name as it is stored: INBOX in capitals, no separator at the end. Raises InvalidError."""
    name = name.removesuffix(SEPARATOR)
    first, separator, rest = name.partition(SEPARATOR)
    if first.upper() == INBOX:
        name = INBOX + separator + rest
    levels = name.split(SEPARATOR)
    if not name or len(name) > NAME_LIMIT or len(levels) > DEPTH_LIMIT or not all(levels):
        raise InvalidError("Not a mailbox name")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise InvalidError("Mailbox names have no control characters")
    return name


def _folder(row: tuple[int, str, str, int, int, int]) -> Folder:
    return Folder(*row, object_id=f"F{row[0]}-{row[3]}")


def list_folders(connection: apsw.Connection) -> list[Folder]:
    """All folders by name, INBOX first."""
    rows = select(connection, f"SELECT {_COLUMNS} FROM folder ORDER BY name != 'INBOX', name")
    return [_folder(row) for row in rows]


def find_folder(connection: apsw.Connection, name: str) -> Folder:
    """The folder of that name. Raises NoSuchFolderError."""
    if name.upper() == INBOX:
        name = INBOX
    rows = select(connection, f"SELECT {_COLUMNS} FROM folder WHERE name = ?", (name,))
    if not rows:
        raise NoSuchFolderError(detail=name)
    return _folder(rows[0])


def filing_folder(connection: apsw.Connection, name: str, *, create: bool, special_use: str) -> Folder:
    """Where a filter's decision leads: the folder of that special use, else of that name, made when asked, else INBOX.

    A folder that is made has the special use (RFC 8579 §4). Inside a transaction.
    """
    if special_use:
        statement = f"SELECT {_COLUMNS} FROM folder WHERE special_use = ? COLLATE NOCASE"
        rows = select(connection, statement, (special_use,))
        if rows:
            return _folder(rows[0])
    try:
        return find_folder(connection, name.removesuffix(SEPARATOR))
    except NoSuchFolderError:
        if not create:
            return find_folder(connection, INBOX)
    try:
        return create_folder(connection, name, special_use)
    except (FolderExistsError, InvalidError):
        return find_folder(connection, INBOX)


def folder_by_id(connection: apsw.Connection, folder_id: int) -> Folder:
    """The folder of that id. Raises NoSuchFolderError."""
    rows = select(connection, f"SELECT {_COLUMNS} FROM folder WHERE id = ?", (folder_id,))
    if not rows:
        raise NoSuchFolderError
    return _folder(rows[0])


def create_folder(connection: apsw.Connection, name: str, special_use: str = "") -> Folder:
    """Make a folder, and the levels above it that lack (RFC 9051 §6.3.4). Inside a transaction."""
    name = normal_name(name)
    existing = {folder.name for folder in list_folders(connection)}
    if name in existing:
        raise FolderExistsError(detail=name)
    if special_use:
        taken = select(connection, "SELECT 1 FROM folder WHERE special_use = ?", (special_use,))
        if taken:
            raise FolderExistsError(f"Another mailbox is {special_use} already")
    levels = name.split(SEPARATOR)
    for depth in range(1, len(levels) + 1):
        level = SEPARATOR.join(levels[:depth])
        if level not in existing:
            use = special_use if level == name else ""
            values = (level, use, _next_uidvalidity(connection, int(time.time())), next_modseq(connection))
            connection.execute(
                "INSERT INTO folder(name, special_use, uidvalidity, highestmodseq) VALUES (?, ?, ?, ?)", values
            )
    return find_folder(connection, name)


def delete_folder(connection: apsw.Connection, name: str) -> int:
    """Remove a folder; its messages stay to be undeleted, folders below it stay. Inside a transaction.

    Returns the folder's id. Raises FolderNotDeletableError for INBOX.
    """
    folder = find_folder(connection, name)
    if folder.name == INBOX:
        raise FolderNotDeletableError
    modseq = next_modseq(connection)
    connection.execute(
        "INSERT OR REPLACE INTO expunged SELECT folder_id, uid, ?, message_id, flags, keywords, ?, 0 FROM entry"
        " WHERE folder_id = ?",
        (modseq, int(time.time()), folder.id),
    )
    connection.execute("DELETE FROM entry WHERE folder_id = ?", (folder.id,))
    connection.execute("DELETE FROM metadata WHERE folder_id = ?", (folder.id,))
    connection.execute("DELETE FROM folder WHERE id = ?", (folder.id,))
    return folder.id


def rename_folder(connection: apsw.Connection, old: str, new: str) -> None:
    """Rename a folder and all below it. Inside a transaction.

    INBOX is renamed by moving its messages to the new folder; it stays itself, and so do folders below it
    (RFC 9051 §6.3.6).
    """
    source = find_folder(connection, old)
    target = normal_name(new)
    existing = {folder.name for folder in list_folders(connection)}
    if target in existing:
        raise FolderExistsError(detail=target)
    if source.name == INBOX:
        made = create_folder(connection, target)
        modseq = next_modseq(connection)
        connection.execute(
            "INSERT INTO entry SELECT ?, row_number() OVER (ORDER BY uid), flags, keywords, ?, message_id, saved_at"
            " FROM entry WHERE folder_id = ?",
            (made.id, modseq, source.id),
        )
        connection.execute(
            "INSERT OR REPLACE INTO expunged SELECT folder_id, uid, ?, message_id, flags, keywords, ?, 1 FROM entry"
            " WHERE folder_id = ?",
            (modseq, int(time.time()), source.id),
        )
        connection.execute("DELETE FROM entry WHERE folder_id = ?", (source.id,))
        connection.execute("UPDATE folder SET highestmodseq = ? WHERE id = ?", (modseq, source.id))
        return
    if target.startswith(source.name + SEPARATOR):
        raise InvalidError("A mailbox cannot be moved below itself")
    parent = target.rpartition(SEPARATOR)[0]
    if parent and parent not in existing:
        create_folder(connection, parent)
    next_modseq(connection)  # so that sessions hear of it
    below = [name for name in existing if name.startswith(source.name + SEPARATOR)]
    for name in [source.name, *below]:
        renamed = target + name[len(source.name) :]
        if renamed in existing:
            raise FolderExistsError(detail=renamed)
        connection.execute("UPDATE folder SET name = ? WHERE name = ?", (normal_name(renamed), name))


def folder_status(connection: apsw.Connection, folder_id: int) -> FolderStatus:
    """Counts of a folder, kept up to date by every change. Raises NoSuchFolderError."""
    rows = select(
        connection,
        "SELECT messages, unseen, deleted, size, uidnext, uidvalidity, highestmodseq, recent_from FROM folder"
        " WHERE id = ?",
        (folder_id,),
    )
    if not rows:
        raise NoSuchFolderError
    return FolderStatus(*rows[0])
