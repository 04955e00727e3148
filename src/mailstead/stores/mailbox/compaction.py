"""Compaction: a dictionary learned from the mailbox's own messages, and what came before it packed again.

Each step is short and leaves a whole mailbox; where it stopped is kept in the file, so that it goes on after a restart.
"""

from typing import TypeAlias

import apsw
import zstandard

from mailstead.stores.mailbox.blobs import CHUNK_BITS, read_blob
from mailstead.stores.mailbox.codec import KINDS, MOST_WITH_DICTIONARY, Codec, Kind
from mailstead.stores.mailbox.connection import select, transaction
from mailstead.stores.mailbox.recipe import Segment, decode_recipe

LEAST_MESSAGES = 500
_GROWTH = 10  # a new dictionary is learned when there are so many times more messages than at the last
_SAMPLES = 1000
_SAMPLE_OCTETS = 16 * 1024
_DICTIONARY_OCTETS = 64 * 1024
_BATCH = 200
_LEAST_FREE_PAGES = 2048
Samples: TypeAlias = dict[Kind, list[bytes | bytearray | memoryview]]


def due_for_learning(connection: apsw.Connection) -> bool:
    """Whether the mailbox has grown enough for a (new) dictionary."""
    count = int(select(connection, "SELECT count(*) FROM message")[0][0])
    learned = int(select(connection, "SELECT coalesce(max(messages), 0) FROM dictionary")[0][0])
    return count >= max(LEAST_MESSAGES, learned * _GROWTH)


def samples(connection: apsw.Connection, codec: Codec) -> Samples:
    """Header blocks and starts of bodies of messages from all over the mailbox."""
    count = int(select(connection, "SELECT count(*) FROM content")[0][0])
    step = max(count // _SAMPLES, 1)
    found: Samples = {"header": [], "body": []}
    rows = select(connection, "SELECT recipe FROM content WHERE message_id % ? = 0 LIMIT ?", (step, _SAMPLES))
    for (recipe,) in rows:
        for number, segment in enumerate(decode_recipe(recipe)[:2]):
            if segment.line == 0:
                end = min(segment.length, _SAMPLE_OCTETS)
                found[KINDS[number]].append(b"".join(read_blob(connection, codec, segment.blob, 0, end)))
    return found


def learn(found: Samples) -> dict[Kind, bytes]:
    """A dictionary for each kind that there is enough of. Takes a second or so; needs no connection."""
    learned: dict[Kind, bytes] = {}
    for kind, pieces in found.items():
        if len(pieces) >= LEAST_MESSAGES // 2:
            try:
                learned[kind] = zstandard.train_dictionary(_DICTIONARY_OCTETS, pieces).as_bytes()
            except zstandard.ZstdError:
                continue  # the samples are too much alike or too small: nothing to be learned
    return learned


def keep(connection: apsw.Connection, codec: Codec, learned: dict[Kind, bytes]) -> bool:
    """Begin to use what was learned, unless another process was first. Its own transaction."""
    with transaction(connection):
        if not due_for_learning(connection):
            return False
        count = int(select(connection, "SELECT count(*) FROM message")[0][0])
        for place, kind in enumerate(KINDS):
            connection.execute(
                "INSERT INTO dictionary(kind, data, messages) VALUES (?, ?, ?)", (place, learned.get(kind, b""), count)
            )
        connection.execute("UPDATE counter SET value = 0 WHERE name = 'compacted'")
        connection.execute("INSERT OR REPLACE INTO counter VALUES ('sparse', 1)")
    codec.load()
    return True


def repack(connection: apsw.Connection, codec: Codec) -> int:
    """Pack a batch of messages with the newest dictionary; returns how many were looked at. Its own transaction."""
    if not select(connection, "SELECT 1 FROM dictionary LIMIT 1"):
        return 0
    with transaction(connection):
        after = int(select(connection, "SELECT value FROM counter WHERE name = 'compacted'")[0][0])
        rows = select(
            connection,
            "SELECT message_id, recipe FROM content WHERE message_id > ? ORDER BY message_id LIMIT ?",
            (after, _BATCH),
        )
        for _, recipe in rows:
            for number, segment in enumerate(decode_recipe(recipe)):
                _repack_chunk(connection, codec, segment, "body" if number else "header")
        if rows:
            connection.execute("UPDATE counter SET value = ? WHERE name = 'compacted'", (rows[-1][0],))
    return len(rows)


def _repack_chunk(connection: apsw.Connection, codec: Codec, segment: Segment, kind: Kind) -> None:
    if segment.length > MOST_WITH_DICTIONARY * 4 // 3:
        return
    identifier = segment.blob << CHUNK_BITS
    rows = select(connection, "SELECT encoding, data FROM chunk WHERE id = ?", (identifier,))
    if not rows or codec.is_newest(rows[0][0], kind):
        return
    encoding, packed = codec.encode(codec.decode(*rows[0]), kind)
    if len(packed) < len(rows[0][1]):
        connection.execute("UPDATE chunk SET encoding = ?, data = ? WHERE id = ?", (encoding, packed, identifier))


def shrink(connection: apsw.Connection) -> None:
    """Write the file anew when all was packed again, or when a quarter of it or more is free pages."""
    free = int(select(connection, "PRAGMA freelist_count")[0][0])
    wasteful = free >= _LEAST_FREE_PAGES and free * 4 >= int(select(connection, "PRAGMA page_count")[0][0])
    if wasteful or select(connection, "SELECT 1 FROM counter WHERE name = 'sparse' AND value"):
        connection.execute("VACUUM")
        connection.execute("DELETE FROM counter WHERE name = 'sparse'")
