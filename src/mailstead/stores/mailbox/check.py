"""What must be true of a mailbox's file, whatever was done to it: SQLite's own check, and the store's invariants."""

from collections import Counter

import apsw

from mailstead.stores.mailbox.blobs import CHUNK_BITS, CHUNK_SIZE
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.recipe import decode_recipe

_SHOWN = 20
# What finds rows that should not be: each a text and a statement whose rows are named in it
_RULES = (
    (
        "folder {}: its counts do not match its messages",
        "SELECT f.name FROM folder f LEFT JOIN (SELECT e.folder_id, count(*) AS messages, sum(e.flags & 1 = 0) AS unseen,"
        " sum(e.flags & 8 != 0) AS deleted, sum(m.size) AS size, max(e.uid) AS uid, max(e.modseq) AS modseq"
        " FROM entry e JOIN message m ON m.id = e.message_id GROUP BY e.folder_id) c ON c.folder_id = f.id"
        " WHERE f.messages != coalesce(c.messages, 0) OR f.unseen != coalesce(c.unseen, 0)"
        " OR f.deleted != coalesce(c.deleted, 0) OR f.size != coalesce(c.size, 0)"
        " OR f.uidnext <= coalesce(c.uid, 0) OR f.highestmodseq < coalesce(c.modseq, 0)",
    ),
    (
        "folder {}: a modseq is past the mailbox's own",
        "SELECT name FROM folder WHERE highestmodseq > (SELECT value FROM counter WHERE name = 'modseq')",
    ),
    (
        "entry {} is in no folder",
        "SELECT folder_id || '/' || uid FROM entry WHERE folder_id NOT IN (SELECT id FROM folder)",
    ),
    (
        "message {} is lost, a folder has it still",
        "SELECT DISTINCT e.message_id FROM entry e WHERE NOT EXISTS (SELECT 1 FROM message WHERE id = e.message_id)"
        " OR NOT EXISTS (SELECT 1 FROM content c WHERE c.message_id = e.message_id)"
        " OR NOT EXISTS (SELECT 1 FROM envelope v WHERE v.message_id = e.message_id)"
        " OR NOT EXISTS (SELECT 1 FROM structure s WHERE s.message_id = e.message_id)",
    ),
    (
        "message {} is kept, nothing has it",
        "SELECT id FROM message m WHERE NOT EXISTS (SELECT 1 FROM entry WHERE message_id = m.id)"
        " AND NOT EXISTS (SELECT 1 FROM expunged WHERE message_id = m.id)",
    ),
    (
        "blob {} has not the chunks of its size",
        f"SELECT b.id FROM blob b WHERE (SELECT count(*) FROM chunk c WHERE c.id BETWEEN b.id << {CHUNK_BITS}"
        f" AND (b.id + 1 << {CHUNK_BITS}) - 1) != (b.size + {CHUNK_SIZE - 1}) / {CHUNK_SIZE}",
    ),
    (
        "collection {}: its counts do not match its objects",
        "SELECT c.name FROM dav_collection c LEFT JOIN (SELECT collection_id, count(*) AS objects, sum(size) AS size,"
        " max(token) AS token FROM dav_object GROUP BY collection_id) o ON o.collection_id = c.id"
        " WHERE c.objects != coalesce(o.objects, 0) OR c.size != coalesce(o.size, 0) OR c.token < coalesce(o.token, 0)"
        " OR c.token > (SELECT value FROM counter WHERE name = 'modseq')",
    ),
    (
        "object {} has not its content, or no collection",
        "SELECT o.name FROM dav_object o LEFT JOIN dav_content c ON c.object_id = o.id"
        " WHERE coalesce(length(c.data), -1) != o.size OR o.collection_id NOT IN (SELECT id FROM dav_collection)",
    ),
    (
        "content {} belongs to no object",
        "SELECT object_id FROM dav_content WHERE object_id NOT IN (SELECT id FROM dav_object)",
    ),
    (
        "tombstone {} is of an object that is there, or of no collection",
        "SELECT t.name FROM dav_tombstone t WHERE t.collection_id NOT IN (SELECT id FROM dav_collection) OR EXISTS"
        " (SELECT 1 FROM dav_object o WHERE o.collection_id = t.collection_id AND o.name = t.name)",
    ),
    ("chunk {} belongs to no blob", f"SELECT id FROM chunk WHERE id >> {CHUNK_BITS} NOT IN (SELECT id FROM blob)"),
)


def file_problems(connection: apsw.Connection) -> list[str]:
    """What SQLite finds wrong with the file; nothing when it is whole."""
    try:
        return [str(row[0]) for row in select(connection, f"PRAGMA integrity_check({_SHOWN})") if row[0] != "ok"]
    except apsw.BusyError:
        raise
    except apsw.Error as error:
        return [f"{type(error).__name__}: {error}"]


def store_problems(connection: apsw.Connection) -> list[str]:
    """Which invariants of the store do not hold. Inside a read transaction, so that it sees one state."""
    found: list[str] = []
    for text, statement in _RULES:
        rows = select(connection, f"{statement} LIMIT {_SHOWN}")
        found += [text.format(row[0]) for row in rows]
    return found + _references(connection)


def _references(connection: apsw.Connection) -> list[str]:
    """Every blob is counted as often as recipes name it, and every message is as long as its pieces."""
    found: list[str] = []
    named: Counter[int] = Counter()
    for message_id, size, recipe in connection.execute(
        "SELECT c.message_id, m.size, c.recipe FROM content c LEFT JOIN message m ON m.id = c.message_id"
    ):
        segments = decode_recipe(recipe)
        named.update(segment.blob for segment in segments)
        if sum(segment.length for segment in segments) != size:
            found.append(f"message {message_id} is not as long as its pieces")
    for identifier, refs in connection.execute("SELECT id, refs FROM blob"):
        if named.pop(identifier, 0) != refs:
            found.append(f"blob {identifier} is counted wrongly")
    found += [f"blob {identifier} is lost" for identifier in named]
    return found[:_SHOWN]
