"""Blobs: bytes stored once per mailbox by hash, in chunks, counted by reference."""

import hashlib
from collections.abc import Iterator

import apsw

from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select

CHUNK_SIZE = 256 * 1024
_CHUNK_BITS = 20  # chunk.id = blob.id << 20 | number, so that a blob's chunks are neighbours


def put_blob(connection: apsw.Connection, codec: Codec, data: bytes) -> int:
    """Store `data` (or count one more reference to it); returns the blob's id. Inside a transaction."""
    digest = hashlib.blake2b(data, digest_size=32).digest()
    found = select(connection, "UPDATE blob SET refs = refs + 1 WHERE hash = ? RETURNING id", (digest,))
    if found:
        return int(found[0][0])
    connection.execute("INSERT INTO blob(hash, size, refs) VALUES (?, ?, 1)", (digest, len(data)))
    identifier = connection.last_insert_rowid()
    for number, start in enumerate(range(0, len(data), CHUNK_SIZE)):
        encoding, stored = codec.encode(data[start : start + CHUNK_SIZE] if len(data) > CHUNK_SIZE else data)
        connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", (identifier << _CHUNK_BITS | number, encoding, stored))
    return identifier


def release_blob(connection: apsw.Connection, identifier: int) -> None:
    """One reference less; the blob goes with the last. Inside a transaction."""
    left = select(connection, "UPDATE blob SET refs = refs - 1 WHERE id = ? RETURNING refs", (identifier,))
    if left and left[0][0] <= 0:
        low, high = identifier << _CHUNK_BITS, (identifier + 1 << _CHUNK_BITS) - 1
        connection.execute("DELETE FROM chunk WHERE id BETWEEN ? AND ?", (low, high))
        connection.execute("DELETE FROM blob WHERE id = ?", (identifier,))


def read_blob(connection: apsw.Connection, codec: Codec, identifier: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes `start` to `end` of a blob, chunk by chunk."""
    if end <= start:
        return
    low, high = start // CHUNK_SIZE, (end - 1) // CHUNK_SIZE
    base = identifier << _CHUNK_BITS
    for number in range(low, high + 1):
        rows = select(connection, "SELECT encoding, data FROM chunk WHERE id = ?", (base | number,))
        data = codec.decode(*rows[0])
        offset = number * CHUNK_SIZE
        yield data[max(start - offset, 0) : end - offset] if start > offset or end < offset + len(data) else data
