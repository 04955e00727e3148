"""From criteria to one SQL condition; text criteria become sets of message ids first."""

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from mailstead.formats.message.date import parse_local_date
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import iter_fields, unfold
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.messages import decode_parts
from mailstead.stores.mailbox.recipe import read_message
from mailstead.stores.mailbox.search import criteria as c
from mailstead.stores.mailbox.search.fulltext import candidates, message_text

Condition = tuple[str, list[Any]]
_FIELD_COLUMNS = {"from": "from_text", "to": "to_text", "cc": "cc_text", "bcc": "bcc_text", "subject": "subject"}
_DATE_COLUMNS = {"internal": "m.internal_date", "saved": "e.saved_at"}
_SENT = "coalesce(m.sent_at, m.internal_date)"
_ZONE_MOST = 36 * 3600  # more than any zone is off
_ENDLESS = 2**61


class Search:
    """One search in one folder."""

    def __init__(self, connection: apsw.Connection, codec: Codec, folder_id: int) -> None:
        self._connection = connection
        self._codec = codec
        self._folder_id = folder_id
        self._sets = 0
        self._members: list[int] | None = None

    def run(self, criterion: c.Criterion) -> list[int]:
        """The uids that match, ascending."""
        try:
            condition, bindings = self._compile(criterion)
            statement = (
                "SELECT e.uid FROM entry e JOIN message m ON m.id = e.message_id JOIN field f ON f.message_id = m.id"
                f" WHERE e.folder_id = ? AND ({condition}) ORDER BY e.uid"
            )
            if "m." not in condition and "f." not in condition:
                statement = f"SELECT e.uid FROM entry e WHERE e.folder_id = ? AND ({condition}) ORDER BY e.uid"
            return [row[0] for row in select(self._connection, statement, (self._folder_id, *bindings))]
        finally:
            for number in range(self._sets):
                self._connection.execute(f"DROP TABLE IF EXISTS temp.found_{number}")

    def _compile(self, criterion: c.Criterion) -> Condition:
        return _COMPILERS[type(criterion)](self, criterion)

    def and_(self, criterion: c.And) -> Condition:
        """Conjunction; an empty one is true."""
        compiled = [self._compile(part) for part in criterion.criteria]
        text = " AND ".join(f"({condition})" for condition, _ in compiled) or "1"
        return text, [value for _, bindings in compiled for value in bindings]

    def or_(self, criterion: c.Or) -> Condition:
        """Disjunction."""
        left, left_bindings = self._compile(criterion.left)
        right, right_bindings = self._compile(criterion.right)
        return f"({left}) OR ({right})", left_bindings + right_bindings

    def not_(self, criterion: c.Not) -> Condition:
        """Negation; what is unknown (no date) does not match its opposite either way."""
        condition, bindings = self._compile(criterion.criterion)
        return f"NOT coalesce(({condition}), 0)", bindings

    def flag(self, criterion: c.FlagIs) -> Condition:
        """A bit."""
        return "e.flags & ? != 0", [criterion.flag]

    def keyword(self, criterion: c.KeywordIs) -> Condition:
        """A word of the keyword string."""
        return "instr(' ' || lower(e.keywords) || ' ', ?) > 0", [f" {criterion.keyword.lower()} "]

    def uids(self, criterion: c.UidIn) -> Condition:
        """Ranges of uids."""
        if not criterion.ranges:
            return "0", []
        if len(criterion.ranges) > _RANGES_IN_LINE:
            rows = [uid for first, last in criterion.ranges for uid in self._uids_between(first, last)]
            return self._set(rows, "e.uid")
        text = " OR ".join(["e.uid BETWEEN ? AND ?"] * len(criterion.ranges))
        return text, [bound for pair in criterion.ranges for bound in pair]

    def _uids_between(self, first: int, last: int) -> list[int]:
        statement = "SELECT uid FROM entry WHERE folder_id = ? AND uid BETWEEN ? AND ?"
        return [row[0] for row in select(self._connection, statement, (self._folder_id, first, last))]

    def field(self, criterion: c.Field) -> Condition:
        """Substring of a decoded field."""
        return f"instr(f.{_FIELD_COLUMNS[criterion.name]}, ?) > 0", [criterion.text.casefold()]

    def header(self, criterion: c.Header) -> Condition:
        """Any field: read from the messages' headers."""
        name, text = criterion.name.lower().encode(), criterion.text.casefold()
        if name == b"message-id" and text:
            return "instr(lower('<' || f.identifier || '>'), ?) > 0", [text]
        found = []
        for message_id in self._folder_members():
            for field, value in iter_fields(self._header(message_id)):
                if field.lower() == name and (not text or text in decode_header_value(unfold(value)).casefold()):
                    found.append(message_id)
                    break
        return self._set(found, "e.message_id")

    def body(self, criterion: c.Body) -> Condition:
        """Substring of the text parts."""
        return self._text(criterion.text, ("fts_body",))

    def text(self, criterion: c.Text) -> Condition:
        """Substring of header or text parts."""
        return self._text(criterion.text, ("fts_header", "fts_body"))

    def _text(self, needle: str, tables: Sequence[str]) -> Condition:
        if not needle:
            return "1", []
        folded = needle.casefold()
        found: set[int] = set()
        for table in tables:
            ids, certain = candidates(self._connection, table, needle)
            if not certain:
                place = 0 if table == "fts_header" else 1
                ids = {
                    one for one in ids.intersection(self._folder_members()) - found if self._holds(one, place, folded)
                }
            found |= ids
        return self._set(sorted(found), "e.message_id")

    def _holds(self, message_id: int, place: int, folded: str) -> bool:
        texts = message_text(self._connection, self._codec, message_id)
        return texts is not None and folded in texts[place].casefold()

    def date(self, criterion: c.Date) -> Condition:
        """A stretch of time."""
        if criterion.which == "sent":
            return self._sent(criterion)
        column = _DATE_COLUMNS[criterion.which]
        parts, bindings = [], []
        if criterion.since is not None:
            parts.append(f"{column} >= ?")
            bindings.append(criterion.since)
        if criterion.before is not None:
            parts.append(f"{column} < ?")
            bindings.append(criterion.before)
        return " AND ".join(parts) or "1", bindings

    def _sent(self, criterion: c.Date) -> Condition:
        """The Date field's day as it is written, its zone disregarded (RFC 9051 §6.4.4).

        The stored moment decides where no zone could change the answer; near the ends the field itself is read.
        """
        since = -_ENDLESS if criterion.since is None else criterion.since
        before = _ENDLESS if criterion.before is None else criterion.before
        near = " OR ".join([f"{_SENT} BETWEEN ? AND ?"] * 2)
        ends = [since - _ZONE_MOST, since + _ZONE_MOST, before - _ZONE_MOST, before + _ZONE_MOST]
        rows = select(
            self._connection,
            "SELECT e.message_id, v.envelope, m.internal_date FROM entry e JOIN message m ON m.id = e.message_id"
            f" JOIN envelope v ON v.message_id = e.message_id WHERE e.folder_id = ? AND ({near})",
            (self._folder_id, *ends),
        )
        inside = [
            message_id
            for message_id, envelope, internal_date in rows
            if since <= (internal_date if (day := _written_date(envelope)) is None else day) < before
        ]
        condition, bindings = self._set(inside, "e.message_id")
        return f"{_SENT} > ? AND {_SENT} < ? OR {condition}", [ends[1], ends[2], *bindings]

    def size(self, criterion: c.Size) -> Condition:
        """Octets."""
        if criterion.larger is not None:
            return "m.size > ?", [criterion.larger]
        return "m.size < ?", [criterion.smaller or 0]

    def modseq(self, criterion: c.ModseqFrom) -> Condition:
        """Changed since."""
        return "e.modseq >= ?", [criterion.modseq]

    def object_id(self, criterion: c.ObjectIdIs) -> Condition:
        """M or T and a number."""
        letter, number = ("M", "e.message_id") if criterion.which == "email" else ("T", "m.thread_id")
        value = criterion.value
        if not value.startswith(letter) or not value[1:].isascii() or not value[1:].isdigit() or len(value) > _DIGITS:
            return "0", []
        return f"{number} = ?", [int(value[1:])]

    def _folder_members(self) -> list[int]:
        if self._members is None:
            rows = select(self._connection, "SELECT message_id FROM entry WHERE folder_id = ?", (self._folder_id,))
            self._members = [row[0] for row in rows]
        return self._members

    def _header(self, message_id: int) -> bytes:
        rows = select(self._connection, "SELECT parts, recipe FROM content WHERE message_id = ?", (message_id,))
        parts, recipe = rows[0]
        end = decode_parts(parts)[0].body_start
        return b"".join(read_message(self._connection, self._codec, recipe, 0, end))

    def _set(self, values: Sequence[int], column: str) -> Condition:
        name = f"temp.found_{self._sets}"
        self._sets += 1
        self._connection.execute(f"DROP TABLE IF EXISTS {name}")
        self._connection.execute(f"CREATE TEMP TABLE {name.removeprefix('temp.')}(value INTEGER PRIMARY KEY)")
        self._connection.executemany(f"INSERT OR IGNORE INTO {name} VALUES (?)", [(value,) for value in values])
        return f"{column} IN (SELECT value FROM {name})", []


def _written_date(envelope: bytes) -> int | None:
    """The date as it is written, from a stored ENVELOPE, whose first field it is."""
    return None if envelope.startswith(b"(NIL ") else parse_local_date(envelope[1:])


_RANGES_IN_LINE = 200
_DIGITS = 18
_COMPILERS: dict[type[Any], Callable[[Search, Any], Condition]] = {
    c.All: lambda _, __: ("1", []),
    c.And: Search.and_,
    c.Or: Search.or_,
    c.Not: Search.not_,
    c.FlagIs: Search.flag,
    c.KeywordIs: Search.keyword,
    c.UidIn: Search.uids,
    c.Field: Search.field,
    c.Header: Search.header,
    c.Body: Search.body,
    c.Text: Search.text,
    c.Date: Search.date,
    c.Size: Search.size,
    c.ModseqFrom: Search.modseq,
    c.ObjectIdIs: Search.object_id,
}
