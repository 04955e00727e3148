"""What messages answer to, for threads (RFC 5256 §3): identifiers from References, else from In-Reply-To."""

from collections.abc import Iterator, Sequence

import apsw
import msgspec

from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.message.index import message_ids
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.messages import decode_parts
from mailstead.stores.mailbox.recipe import read_messages

_BATCH = 500


class Threaded(msgspec.Struct, frozen=True):
    """A message as threads are made of: `subject` is decoded and case-folded, `base` its base subject."""

    uid: int
    identifier: str
    ancestors: tuple[str, ...]
    subject: str
    base: str
    date: int


def threaded(
    connection: apsw.Connection, codec: Codec, folder_id: int, uids: Sequence[int]
) -> tuple[list[Threaded], list[tuple[int, str]]]:
    """The messages of ascending uids, and the ancestry that had to be read from headers: see `keep`."""
    if not uids:
        return [], []
    wanted = frozenset(uids)
    rows = select(
        connection,
        "SELECT e.uid, e.message_id, f.identifier, a.ancestors, f.subject, f.base_subject,"
        " coalesce(m.sent_at, m.internal_date) FROM entry e JOIN message m ON m.id = e.message_id"
        " JOIN field f ON f.message_id = e.message_id LEFT JOIN ancestry a ON a.message_id = e.message_id"
        " WHERE e.folder_id = ? AND e.uid BETWEEN ? AND ? ORDER BY e.uid",
        (folder_id, uids[0], uids[-1]),
    )
    rows = [row for row in rows if row[0] in wanted]
    read = list(_from_headers(connection, codec, [row[1] for row in rows if row[3] is None]))
    fresh = dict(read)
    found = [
        Threaded(uid, identifier, tuple((ancestors if ancestors is not None else fresh[message_id]).split()), *rest)
        for uid, message_id, identifier, ancestors, *rest in rows
    ]
    return found, read


def keep(connection: apsw.Connection, read: Sequence[tuple[int, str]]) -> None:
    """Remember ancestry, so that headers are read once. Inside a transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO ancestry SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM message WHERE id = ?1)", read
    )


def _from_headers(connection: apsw.Connection, codec: Codec, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        statement = "SELECT parts, recipe FROM content WHERE message_id = ?"
        rows = [select(connection, statement, (message_id,))[0] for message_id in batch]
        blocks = read_messages(
            connection, codec, [(recipe, 0, decode_parts(parts)[0].body_start) for parts, recipe in rows]
        )
        for message_id, block in zip(batch, blocks, strict=True):
            yield message_id, " ".join(_ancestors(block))


def _ancestors(block: bytes) -> Sequence[str]:
    fields: dict[bytes, bytes] = {}
    for name, value in iter_fields(block):
        fields.setdefault(name.lower(), value)
    references = message_ids(unfold(fields.get(b"references", b"")))
    return references or message_ids(unfold(fields.get(b"in-reply-to", b"")))[:1]
