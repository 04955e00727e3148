"""A place in a command's arguments, and the productions that many commands share (RFC 9051 §9)."""

import re

from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.reader import Literal

_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_ASTRING = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_LIST_MAILBOX = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPED = re.compile(rb"\\(.)")
_REFERENCE = re.compile(rb"\x00(\d+)\x00")
_DIGITS = re.compile(rb"\d{1,20}")
_WORD = re.compile(rb"[A-Za-z0-9.+=\-]+")
NUMBER_MOST = 2**32 - 1
NUMBER64_MOST = 2**63 - 1


class Cursor:
    """Reads `text` from the left; every method raises CommandError when what it wants is not there.

    `utf8` is whether the session takes mailbox names in UTF-8, `utf8_only` whether it has UTF8=ACCEPT enabled; `nesting`
    how deep parentheses may go.
    """

    __slots__ = ("literals", "nesting", "place", "text", "utf8", "utf8_only")

    def __init__(
        self,
        text: bytes,
        literals: tuple[Literal, ...] = (),
        *,
        utf8: bool = False,
        utf8_only: bool = False,
        nesting: int = 64,
    ) -> None:
        self.text = text
        self.literals = literals
        self.place = 0
        self.utf8 = utf8
        self.utf8_only = utf8_only
        self.nesting = nesting

    # single octets

    def is_at(self, octets: bytes) -> bool:
        """Whether `octets` come next."""
        return self.text.startswith(octets, self.place)

    def take(self, octets: bytes) -> bool:
        """Pass over `octets` when they come next; whether they did."""
        if self.text.startswith(octets, self.place):
            self.place += len(octets)
            return True
        return False

    def expect(self, octets: bytes) -> None:
        """Pass over `octets`."""
        if not self.take(octets):
            raise CommandError(f"{octets.decode()!r} is wanted")

    def space(self) -> None:
        """SP"""
        if not self.take(b" "):
            raise CommandError("An argument is missing")

    def end(self) -> None:
        """The end of the command; blanks before it are passed over."""
        if self.text[self.place :].strip(b" "):
            raise CommandError("Unexpected argument")

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.place >= len(self.text)

    # productions

    def _match(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        found = pattern.match(self.text, self.place)
        if found is None:
            raise CommandError(f"{what} is wanted")
        self.place = found.end()
        return found[0]

    def word(self) -> str:
        """A keyword of the protocol, in capitals."""
        return self._match(_WORD, "A keyword").decode().upper()

    def peek_word(self) -> str:
        """The keyword that comes next, in capitals; "" when none does."""
        found = _WORD.match(self.text, self.place)
        return found[0].decode().upper() if found is not None else ""

    def atom(self) -> bytes:
        """atom = 1*ATOM-CHAR"""
        return self._match(_ATOM, "An atom")

    def quoted(self) -> bytes:
        """quoted = DQUOTE *QUOTED-CHAR DQUOTE"""
        found = _QUOTED.match(self.text, self.place)
        if found is None:
            raise CommandError("A string is not closed")
        self.place = found.end()
        return _ESCAPED.sub(rb"\1", found[1]) if b"\\" in found[1] else found[1]

    def literal(self) -> Literal:
        """literal / literal8, as it came"""
        found = _REFERENCE.match(self.text, self.place)
        if found is None:
            raise CommandError("A literal is wanted")
        self.place = found.end()
        return self.literals[int(found[1])]

    def string(self) -> bytes:
        """string = quoted / literal"""
        if self.is_at(b'"'):
            return self.quoted()
        literal = self.literal()
        if isinstance(literal.data, Spool):
            raise CommandError("A message where a string belongs")
        return literal.data

    def astring(self) -> bytes:
        """astring = 1*ASTRING-CHAR / string"""
        if self.is_at(b'"') or self.is_at(b"\0"):
            return self.string()
        return self._match(_ASTRING, "A string")

    def text_string(self) -> str:
        """astring, as UTF-8"""
        return self.decoded(self.astring())

    def nstring(self) -> bytes | None:
        """nstring = string / nil"""
        if self.peek_word() == "NIL":
            self.word()
            return None
        return self.string()

    def list_mailbox(self) -> bytes:
        """list-mailbox = 1*list-char / string"""
        if self.is_at(b'"') or self.is_at(b"\0"):
            return self.string()
        return self._match(_LIST_MAILBOX, "A mailbox pattern")

    def number(self, most: int = NUMBER_MOST, least: int = 0) -> int:
        """number = 1*DIGIT, between `least` and `most`"""
        value = int(self._match(_DIGITS, "A number"))
        if not least <= value <= most:
            raise CommandError("A number is out of range")
        return value

    def number64(self, least: int = 0) -> int:
        """number64, mod-sequence-value"""
        return self.number(NUMBER64_MOST, least)

    @staticmethod
    def decoded(value: bytes) -> str:
        """Octets as UTF-8."""
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise CommandError("Not UTF-8") from None

    def descend(self) -> None:
        """One level deeper; see `ascend`."""
        self.nesting -= 1
        if self.nesting < 0:
            raise CommandError("Nested too deeply")

    def ascend(self) -> None:
        """One level back."""
        self.nesting += 1
