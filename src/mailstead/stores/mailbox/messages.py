"""Messages on their way in: indexed once, stored as parts, threaded, put into a folder."""

import time
from collections.abc import Iterable

import apsw
import msgspec

from mailstead.formats.message.index import MessageIndex, index_message
from mailstead.formats.message.part import Bounds, Part
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.folders import folder_by_id, next_modseq
from mailstead.stores.mailbox.recipe import release_message, write_message
from mailstead.stores.mailbox.records import Appended, NewMessage

encode_parts = msgspec.msgpack.Encoder().encode
decode_parts = msgspec.msgpack.Decoder(tuple[Part, ...]).decode


class Prepared(msgspec.Struct, frozen=True):
    """A message with its index: everything that needs no database."""

    message: NewMessage
    index: MessageIndex


def prepare(message: NewMessage, bounds: Bounds) -> Prepared:
    """Index a message; done before the write lock is taken."""
    return Prepared(message, index_message(message.raw, bounds))


def add_messages(
    connection: apsw.Connection, codec: Codec, folder_id: int, prepared: Iterable[Prepared]
) -> list[Appended]:
    """Put messages into a folder in order. Inside a transaction. Raises NoSuchFolderError."""
    folder = folder_by_id(connection, folder_id)
    modseq = 0
    now = int(time.time())
    appended: list[Appended] = []
    uid = folder.uidnext
    for item in prepared:
        message = item.message
        if message.delivery_id and not is_first(connection, message.delivery_id):
            appended.append(Appended(folder.uidvalidity, 0, 0, ""))
            continue
        modseq = modseq or next_modseq(connection)
        message_id = _insert_message(connection, codec, item)
        connection.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
            (folder_id, uid, message.flags, message.keywords, modseq, message_id, now),
        )
        appended.append(Appended(folder.uidvalidity, uid, modseq, object_id(message_id)))
        uid += 1
    return appended


def add_entry(connection: apsw.Connection, folder_id: int, name: str, message: NewMessage) -> Appended:
    """Put a message that is there, by its EMAILID, into one folder more. Inside a transaction."""
    folder = folder_by_id(connection, folder_id)
    if message.delivery_id and not is_first(connection, message.delivery_id):
        return Appended(folder.uidvalidity, 0, 0, "")
    modseq = next_modseq(connection)
    entry = (folder_id, folder.uidnext, message.flags, message.keywords, modseq, int(name[1:]), int(time.time()))
    connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", entry)
    return Appended(folder.uidvalidity, folder.uidnext, modseq, name)


def is_first(connection: apsw.Connection, delivery_id: str) -> bool:
    """Whether a delivery was not taken before; it is noted as taken. Inside the transaction that takes it."""
    statement = "INSERT OR IGNORE INTO ingested VALUES (?, ?) RETURNING 1"
    return bool(select(connection, statement, (delivery_id, int(time.time()))))


def object_id(message_id: int) -> str:
    """EMAILID of a message (RFC 8474 §5.1)."""
    return f"M{message_id}"


def is_imported(connection: apsw.Connection, source: str, name: str) -> bool:
    """Whether the message of that name was imported from `source`."""
    return bool(select(connection, "SELECT 1 FROM imported WHERE source = ? AND item = ?", (source, name)))


def note_imported(connection: apsw.Connection, source: str, name: str) -> bool:
    """Note that it is; False when it was. Inside the transaction that takes it."""
    statement = "INSERT OR IGNORE INTO imported VALUES (?, ?) RETURNING 1"
    return bool(select(connection, statement, (source, name)))


def _insert_message(connection: apsw.Connection, codec: Codec, item: Prepared) -> int:
    index = item.index
    thread_id = _thread(connection, index)
    connection.execute(
        "INSERT INTO message(size, internal_date, sent_at, thread_id, preview) VALUES (?, ?, ?, ?, ?)",
        (index.size, item.message.internal_date, index.sent_at, thread_id, index.preview),
    )
    message_id = connection.last_insert_rowid()
    if thread_id == 0:
        connection.execute("UPDATE message SET thread_id = ? WHERE id = ?", (message_id, message_id))
        _remember_thread(connection, index, message_id)
    recipe = write_message(connection, codec, item.message.raw, index.parts)
    connection.execute("INSERT INTO envelope VALUES (?, ?)", (message_id, index.envelope))
    connection.execute("INSERT INTO structure VALUES (?, ?, ?)", (message_id, index.bodystructure, index.body))
    connection.execute("INSERT INTO content VALUES (?, ?, ?)", (message_id, encode_parts(index.parts), recipe))
    texts = (index.from_text, index.to_text, index.cc_text, index.bcc_text, index.subject, index.base_subject)
    connection.execute(
        "INSERT INTO field VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (message_id, *(_storable(text).casefold() for text in texts), index.message_id),
    )
    ancestors = _storable(" ".join(index.references or index.in_reply_to[:1]))
    connection.execute("INSERT INTO ancestry VALUES (?, ?)", (message_id, ancestors))
    return message_id


def _storable(text: str) -> str:
    """Text without lone surrogates, which SQLite does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _references(index: MessageIndex) -> list[str]:
    return [
        _storable(name)
        for name in dict.fromkeys([index.message_id, *index.in_reply_to, *reversed(index.references)])
        if name
    ]


def _thread(connection: apsw.Connection, index: MessageIndex) -> int:
    """The thread of the nearest message that is referred to, 0 for a new one.

    Threads that meet in this message stay apart: a THREADID never changes (RFC 8474 §5.2).
    """
    for name in _references(index):
        rows = select(connection, "SELECT thread_id FROM thread_reference WHERE reference = ?", (name,))
        if rows:
            thread_id = int(rows[0][0])
            _remember_thread(connection, index, thread_id)
            return thread_id
    return 0


def _remember_thread(connection: apsw.Connection, index: MessageIndex, thread_id: int) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO thread_reference VALUES (?, ?)", [(name, thread_id) for name in _references(index)]
    )


def drop_unheld_messages(connection: apsw.Connection, message_ids: list[int]) -> int:
    """Remove those messages that no folder and no undelete window holds; returns how many. Inside a transaction."""
    dropped = 0
    for message_id in message_ids:
        held = select(
            connection,
            "SELECT EXISTS(SELECT 1 FROM entry WHERE message_id = ?1)"
            " OR EXISTS(SELECT 1 FROM expunged WHERE message_id = ?1)",
            (message_id,),
        )
        rows = select(connection, "SELECT recipe FROM content WHERE message_id = ?", (message_id,))
        if held[0][0] or not rows:
            continue
        release_message(connection, rows[0][0])
        for table in ("envelope", "structure", "content", "field", "ancestry"):
            connection.execute(f"DELETE FROM {table} WHERE message_id = ?", (message_id,))
        for table in ("fts_header", "fts_body"):
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (message_id,))
        connection.execute("DELETE FROM message WHERE id = ?", (message_id,))
        dropped += 1
    return dropped
