"""The full-text index: case-folded, filled in batches after the fact, asked for candidates by substring.

FTS5 finds whole tokens; IMAP asks for substrings. A substring without separators lies inside one token, so the table of
all tokens, searched for it, gives exactly the tokens and with them the messages. A needle of several tokens gives
candidates that have every token somewhere; they are verified against the text.
"""

import re

import apsw

from mailstead.formats.message.text import search_text
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select, transaction
from mailstead.stores.mailbox.messages import decode_parts
from mailstead.stores.mailbox.recipe import read_message

BATCH = 200
_TOKEN = re.compile(r"[^\W_]+")
_TERMS_AT_ONCE = 300
_WORD = re.compile(r"[0-9a-z\x80-\U0010ffff]+")  # cut where the tokenizer surely cuts
_TOKENIZER = "tokenize='unicode61 remove_diacritics 0'"  # as the index has it: schema.py


def pending(connection: apsw.Connection) -> int:
    """How many messages are not in the index yet (an upper bound: some may be gone)."""
    rows = select(
        connection,
        "SELECT (SELECT coalesce(max(id), 0) FROM message) - (SELECT value FROM counter WHERE name = 'indexed')",
    )
    return int(rows[0][0])


class _Content:
    """A message of which only what is asked for is read."""

    def __init__(self, connection: apsw.Connection, codec: Codec, recipe: bytes) -> None:
        self._connection = connection
        self._codec = codec
        self._recipe = recipe

    def __getitem__(self, stretch: slice, /) -> bytes:
        return b"".join(read_message(self._connection, self._codec, self._recipe, stretch.start, stretch.stop))


def message_text(connection: apsw.Connection, codec: Codec, message_id: int) -> tuple[str, str] | None:
    """Header and body text of a message as search sees them; None when it is gone."""
    rows = select(
        connection,
        "SELECT parts, recipe FROM content WHERE message_id = ?",
        (message_id,),
    )
    if not rows:
        return None
    parts, recipe = rows[0]
    text = search_text(_Content(connection, codec, recipe), decode_parts(parts))
    return _clean(text.headers), _clean(text.body)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def index_batch(connection: apsw.Connection, codec: Codec) -> int:
    """Index the next messages; returns how many. Texts are made before the write lock is taken."""
    after = int(select(connection, "SELECT value FROM counter WHERE name = 'indexed'")[0][0])
    ids = [
        row[0] for row in select(connection, "SELECT id FROM message WHERE id > ? ORDER BY id LIMIT ?", (after, BATCH))
    ]
    if not ids:
        return 0
    texts = [(message_id, message_text(connection, codec, message_id)) for message_id in ids]
    with transaction(connection):
        current = select(connection, "SELECT value FROM counter WHERE name = 'indexed'")[0][0]
        if current != after:
            return 0  # another process did it
        present = [(message_id, text) for message_id, text in texts if text is not None]
        connection.executemany(
            "INSERT INTO fts_header(rowid, text) VALUES (?, ?)", [(one, text[0].casefold()) for one, text in present]
        )
        connection.executemany(
            "INSERT INTO fts_body(rowid, text) VALUES (?, ?)", [(one, text[1].casefold()) for one, text in present]
        )
        _add_terms(connection, [part for _, text in present for part in text])
        connection.execute("UPDATE counter SET value = ? WHERE name = 'indexed'", (ids[-1],))
    return len(ids)


def _add_terms(connection: apsw.Connection, texts: list[str]) -> None:
    """Note the tokens of case-folded texts. Where a word is not ASCII, the index's own tokenizer cuts it."""
    words: set[str] = set()
    for text in texts:
        words.update(_WORD.findall(text.casefold()))
    beyond = [word for word in words if not word.isascii()]
    words.difference_update(beyond)
    if beyond:
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.words USING fts5(text, content='', detail=none, {_TOKENIZER});"
            "CREATE VIRTUAL TABLE temp.words_term USING fts5vocab(temp, words, row)"
        )
        connection.execute("INSERT INTO temp.words(rowid, text) VALUES (1, ?)", (" ".join(beyond),))
        words.update(row[0] for row in select(connection, "SELECT term FROM temp.words_term"))
        connection.execute("DROP TABLE temp.words_term; DROP TABLE temp.words")
    connection.executemany("INSERT OR IGNORE INTO term VALUES (?)", [(word,) for word in sorted(words)])


def tokens(needle: str) -> list[str]:
    """The tokens of a needle, as the index would cut them."""
    return _TOKEN.findall(needle.casefold())


def candidates(connection: apsw.Connection, table: str, needle: str) -> tuple[set[int], bool]:
    """Message ids that may hold `needle` in `table` (fts_header or fts_body), and whether that is certain.

    A needle without any token gives every message.
    """
    words = tokens(needle)
    if not words:
        rows = select(connection, "SELECT id FROM message")
        return {row[0] for row in rows}, False
    found: set[int] | None = None
    for word in words:
        terms = [row[0] for row in select(connection, "SELECT term FROM term WHERE instr(term, ?)", (word,))]
        ids: set[int] = set()
        for start in range(0, len(terms), _TERMS_AT_ONCE):
            query = " OR ".join('"' + term.replace('"', '""') + '"' for term in terms[start : start + _TERMS_AT_ONCE])
            statement = f"SELECT rowid FROM {table} WHERE {table} MATCH ?"
            ids.update(row[0] for row in select(connection, statement, (query,)))
        found = ids if found is None else found & ids
        if not found:
            break
    certain = len(words) == 1 and words[0] == needle.casefold() and needle.isascii()
    return found or set(), certain
