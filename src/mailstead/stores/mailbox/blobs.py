"""Blobs: bytes stored once per mailbox by hash, in chunks, counted by reference."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

import apsw

from mailstead.stores.mailbox.codec import Codec, Kind
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.errors import MailboxDamagedError

CHUNK_SIZE = 256 * 1024
CHUNK_BITS = 20  # chunk.id = blob.id << 20 | number, so that a blob's chunks are neighbours
_RANGE_WASTE = 4  # a range of chunks is read whole while at most three of four are not wanted
_MASK = (1 << CHUNK_BITS) - 1


def put_blob(
    connection: apsw.Connection, codec: Codec, pieces: Callable[[], Iterable[bytes]], kind: Kind = "body"
) -> int:
    """Store a blob (or count one more reference to it); returns its id. Inside a transaction.

    `pieces` gives the blob in pieces of CHUNK_SIZE, the last one shorter; it is called twice when the blob is new.
    """
    hashed = hashlib.blake2b(digest_size=32)
    size = 0
    for piece in pieces():
        hashed.update(piece)
        size += len(piece)
    digest = hashed.digest()
    found = select(connection, "UPDATE blob SET refs = refs + 1 WHERE hash = ? RETURNING id", (digest,))
    if found:
        return int(found[0][0])
    connection.execute("INSERT INTO blob(hash, size, refs) VALUES (?, ?, 1)", (digest, size))
    identifier = connection.last_insert_rowid()
    for number, piece in enumerate(pieces()):
        row = (identifier << CHUNK_BITS | number, *codec.encode(piece, kind))
        connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", row)
    return identifier


def release_blob(connection: apsw.Connection, identifier: int) -> None:
    """One reference less; the blob goes with the last. Inside a transaction."""
    left = select(connection, "UPDATE blob SET refs = refs - 1 WHERE id = ? RETURNING refs", (identifier,))
    if left and left[0][0] <= 0:
        low, high = identifier << CHUNK_BITS, (identifier + 1 << CHUNK_BITS) - 1
        connection.execute("DELETE FROM chunk WHERE id BETWEEN ? AND ?", (low, high))
        connection.execute("DELETE FROM blob WHERE id = ?", (identifier,))


def read_blob(connection: apsw.Connection, codec: Codec, identifier: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes `start` to `end` of a blob, chunk by chunk. Raises MailboxDamagedError when a chunk lacks."""
    if end <= start:
        return
    low, high = start // CHUNK_SIZE, (end - 1) // CHUNK_SIZE
    base = identifier << CHUNK_BITS
    for number in range(low, high + 1):
        rows = select(connection, "SELECT encoding, data FROM chunk WHERE id = ?", (base | number,))
        if not rows:
            raise MailboxDamagedError(detail=f"blob {identifier} lacks chunk {number}")
        data = codec.decode(*rows[0])
        offset = number * CHUNK_SIZE
        yield data[max(start - offset, 0) : end - offset] if start > offset or end < offset + len(data) else data


def read_first_chunks(connection: apsw.Connection, codec: Codec, blobs: set[int]) -> dict[int, bytes]:
    """The first chunk of many blobs, by blob, in one query; those that lie close together as one range."""
    if not blobs:
        return {}
    low, high = min(blobs), max(blobs)
    if high - low < len(blobs) * _RANGE_WASTE:
        statement = f"SELECT id, encoding, data FROM chunk WHERE id BETWEEN ? AND ? AND id & {_MASK} = 0"
        cursor = connection.execute(statement, (low << CHUNK_BITS, high << CHUNK_BITS))
    else:
        wanted = "[" + ",".join(str(blob << CHUNK_BITS) for blob in sorted(blobs)) + "]"
        cursor = connection.execute(
            "SELECT c.id, c.encoding, c.data FROM json_each(?) w CROSS JOIN chunk c ON c.id = w.value", (wanted,)
        )
    decode = codec.decode
    return {
        identifier >> CHUNK_BITS: decode(encoding, data)
        for identifier, encoding, data in cursor
        if identifier >> CHUNK_BITS in blobs
    }
