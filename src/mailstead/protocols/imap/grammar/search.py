"""Search keys as criteria of the store (RFC 9051 §6.4.4, RFC 5032, RFC 7162 §3.1.5, RFC 8474 §5.4, RFC 8514 §4.3).

search-key = "ALL" / "ANSWERED" / "BCC" SP astring / "BEFORE" SP date / ... / "(" search-key *(SP search-key) ")"

Message numbers, $, and what depends on the time stay nodes of their own until `resolve` puts the view's uids in.
"""

from collections.abc import Callable

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.dates import date
from mailstead.protocols.imap.grammar.sequence import SequenceSet, is_sequence, sequence_set
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.search import criteria as c

_DAY = 86400
KEYS_LIMIT = 500
_DEPTH = 150


class Messages(msgspec.Struct, frozen=True):
    """A sequence set, of numbers or of uids."""

    wanted: SequenceSet
    by_uid: bool


class Recent(msgspec.Struct, frozen=True):
    """Recent messages of the session (RFC 3501 §6.4.4)."""


class Age(msgspec.Struct, frozen=True):
    """Arrived within the last `seconds`, or with `older` before that (RFC 5032 §4.3)."""

    seconds: int
    older: bool


class Program(msgspec.Struct, frozen=True):
    """What is searched for, whether MODSEQ is a part of it, and the charset that was named, empty for none."""

    key: "Node"
    modseq: bool
    charset: str = ""


class All(msgspec.Struct, frozen=True):
    """Every one of them."""

    keys: tuple["Node", ...]


class Either(msgspec.Struct, frozen=True):
    """One of two."""

    left: "Node"
    right: "Node"


class Opposite(msgspec.Struct, frozen=True):
    """The others."""

    key: "Node"


Node = c.Criterion | Messages | Recent | Age | All | Either | Opposite


class Keys:
    """Reads search keys from a cursor; text is decoded from `charset`."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._count = 0
        self._depth = 0
        self.modseq = False

    def program(self, charset: str = "") -> Program:
        """search-key *(SP search-key)"""
        key = self._all()
        return Program(key, self.modseq, charset)

    def _all(self) -> Node:
        keys = [self._key()]
        while self._cursor.take(b" "):
            keys.append(self._key())
        return keys[0] if len(keys) == 1 else All(tuple(keys))

    def _key(self) -> Node:
        self._count += 1
        self._depth += 1
        if self._count > KEYS_LIMIT or self._depth > _DEPTH:
            raise NoError("Too many search keys", "LIMIT")
        try:
            return self._one()
        finally:
            self._depth -= 1

    def _one(self) -> Node:
        cursor = self._cursor
        if cursor.take(b"("):
            cursor.descend()
            found = self._all()
            cursor.expect(b")")
            cursor.ascend()
            return found
        if is_sequence(cursor):
            return Messages(sequence_set(cursor), False)
        name = cursor.word()
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        cursor.space()
        if name == "NOT":
            return Opposite(self._key())
        if name == "OR":
            left = self._key()
            cursor.space()
            return Either(left, self._key())
        if name == "MODSEQ":
            self.modseq = True
            return _modseq(cursor)
        read = _WITH_ARGUMENT.get(name)
        if read is None:
            raise CommandError("Search key not known")
        return read(cursor)


def _text(make: Callable[[str], Node]) -> Callable[[Cursor], Node]:
    return lambda cursor: make(cursor.text_string())


def _header(cursor: Cursor) -> Node:
    name = cursor.text_string()
    cursor.space()
    return c.Header(name, cursor.text_string())


def _before(which: c.Which) -> Callable[[Cursor], Node]:
    return lambda cursor: c.Date(which, before=date(cursor))


def _since(which: c.Which) -> Callable[[Cursor], Node]:
    return lambda cursor: c.Date(which, since=date(cursor))


def _on(which: c.Which) -> Callable[[Cursor], Node]:
    def read(cursor: Cursor) -> Node:
        day = date(cursor)
        return c.Date(which, since=day, before=day + _DAY)

    return read


def _modseq(cursor: Cursor) -> Node:
    """search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer"""
    if cursor.is_at(b'"'):  # one modseq is kept for all flags, so which one is asked for does not matter
        cursor.quoted()
        cursor.space()
        if cursor.word() not in ("PRIV", "SHARED", "ALL"):
            raise CommandError("priv, shared or all is wanted")
        cursor.space()
    return c.ModseqFrom(cursor.number64())


def _keyword(cursor: Cursor) -> str:
    return cursor.atom().decode()


_SYSTEM = {
    "ANSWERED": Flag.ANSWERED,
    "DELETED": Flag.DELETED,
    "DRAFT": Flag.DRAFT,
    "FLAGGED": Flag.FLAGGED,
    "SEEN": Flag.SEEN,
}
_CONSTANTS: dict[str, Node] = {
    "ALL": c.All(),
    "SAVEDATESUPPORTED": c.All(),
    "RECENT": Recent(),
    "OLD": Opposite(Recent()),
    "NEW": All((Recent(), Opposite(c.FlagIs(Flag.SEEN)))),
    **{name: c.FlagIs(flag) for name, flag in _SYSTEM.items()},
    **{f"UN{name}": Opposite(c.FlagIs(flag)) for name, flag in _SYSTEM.items()},
}
_WITH_ARGUMENT: dict[str, Callable[[Cursor], Node]] = {
    "BCC": _text(lambda text: c.Field("bcc", text)),
    "BEFORE": _before("internal"),
    "BODY": _text(c.Body),
    "CC": _text(lambda text: c.Field("cc", text)),
    "EMAILID": lambda cursor: c.ObjectIdIs("email", cursor.text_string()),
    "FROM": _text(lambda text: c.Field("from", text)),
    "HEADER": _header,
    "KEYWORD": lambda cursor: c.KeywordIs(_keyword(cursor)),
    "LARGER": lambda cursor: c.Size(larger=cursor.number64()),
    "OLDER": lambda cursor: Age(cursor.number(least=1), True),
    "ON": _on("internal"),
    "SAVEDBEFORE": _before("saved"),
    "SAVEDON": _on("saved"),
    "SAVEDSINCE": _since("saved"),
    "SENTBEFORE": _before("sent"),
    "SENTON": _on("sent"),
    "SENTSINCE": _since("sent"),
    "SINCE": _since("internal"),
    "SMALLER": lambda cursor: c.Size(smaller=cursor.number64()),
    "SUBJECT": _text(lambda text: c.Field("subject", text)),
    "TEXT": _text(c.Text),
    "THREADID": lambda cursor: c.ObjectIdIs("thread", cursor.text_string()),
    "TO": _text(lambda text: c.Field("to", text)),
    "UID": lambda cursor: Messages(sequence_set(cursor), True),
    "UNKEYWORD": lambda cursor: Opposite(c.KeywordIs(_keyword(cursor))),
    "YOUNGER": lambda cursor: Age(cursor.number(least=1), False),
}
