"""From the text of a script to its tokens (RFC 5228 §8.1).

    identifier    = (ALPHA / "_") *(ALPHA / DIGIT / "_")
    tag           = ":" identifier
    number        = 1*DIGIT [ "K" / "M" / "G" ]
    quoted-string = DQUOTE quoted-text DQUOTE            ; "\\" before any character stands for that character
    multi-line    = "text:" *(SP / HTAB) (hash-comment / CRLF) *(multiline-literal / multiline-dotstart) "." CRLF
    comment       = "/*" *not-star ... "*/" / "#" *octet-not-crlf CRLF

Lines may end in a bare LF as well. NUL is refused anywhere; other control characters are allowed in strings and
comments, as the grammar has it.
"""

import re
from bisect import bisect_right
from typing import Literal, NoReturn

import msgspec

from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.tree import Position

TokenKind = Literal["identifier", "tag", "number", "string", "special", "end"]
NUMBER_LIMIT = 2**53

_TOKEN = re.compile(
    r"(?P<skipped>[ \t\r\n]+|\#[^\n]*|/\*)|(?P<multiline>text:[ \t]*(?:\#[^\n]*)?\r?\n)"
    r"|(?P<identifier>[A-Za-z_][A-Za-z0-9_]*)|:(?P<tag>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9]+[KMGkmg]?)(?![A-Za-z0-9_])"
    r'|(?P<quote>")|(?P<special>[;,\[\](){}])',
    re.IGNORECASE,
)
_QUOTED = re.compile(r'((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MULTILINE_END = re.compile(r"^\.(?:\r?\n|\r?\Z)", re.MULTILINE)
_DOT_START = re.compile(r"^\.\.", re.MULTILINE)
_QUANTIFIERS = {"k": 1024, "m": 1024**2, "g": 1024**3}


class Token(msgspec.Struct, frozen=True):
    """One token: `text` is lower case for identifiers and tags, the content of a string; `number` of a number."""

    kind: TokenKind
    text: str
    offset: int
    number: int = 0


class Lexer:
    """The tokens of one script."""

    def __init__(self, script: str | bytes, bounds: Bounds) -> None:
        """Raises ScriptError when the script is too large, not UTF-8, or holds NUL."""
        octets = script.encode("utf-8", "surrogatepass") if isinstance(script, str) else script
        if len(octets) > bounds.size:
            raise ScriptError(f"The script has {len(octets)} octets; {bounds.size} are allowed.", 1, 1)
        self._lines = [0]
        try:
            self.text = octets.decode("utf-8")
        except UnicodeDecodeError as error:
            line = octets.count(b"\n", 0, error.start) + 1
            column = error.start - octets.rfind(b"\n", 0, error.start)
            raise ScriptError("The script is not UTF-8 here.", line, column) from None
        self._lines += [found.end() for found in re.finditer("\n", self.text)]
        self._bounds = bounds
        if "\0" in self.text:
            self._fail("There is a NUL character here.", self.text.index("\0"))

    def at(self, offset: int) -> Position:
        """Where an offset is."""
        line = bisect_right(self._lines, offset)
        return Position(line, offset - self._lines[line - 1] + 1)

    def _fail(self, reason: str, offset: int) -> NoReturn:
        position = self.at(offset)
        raise ScriptError(reason, position.line, position.column)

    def tokens(self) -> list[Token]:
        """All tokens, an "end" last. Raises ScriptError."""
        found: list[Token] = []
        text, offset = self.text, 0
        while offset < len(text):
            match = _TOKEN.match(text, offset)
            if match is None:
                self._fail(f"{text[offset]!r} cannot stand here.", offset)
            start, offset = offset, match.end()
            if match.lastgroup == "skipped":
                offset = self._after_comment(start, offset)
                continue
            if len(found) == self._bounds.tokens:
                self._fail(f"The script has more than {self._bounds.tokens} words and signs.", start)
            token, offset = self._token(match, start)
            found.append(token)
        found.append(Token("end", "", len(text)))
        return found

    def _after_comment(self, start: int, offset: int) -> int:
        if not self.text.startswith("/*", start):
            return offset
        end = self.text.find("*/", offset)
        if end < 0:
            self._fail("This comment is never closed.", start)
        return end + 2

    def _token(self, match: "re.Match[str]", start: int) -> tuple[Token, int]:
        kind, end = match.lastgroup, match.end()
        if kind == "quote":
            quoted = _QUOTED.match(self.text, end)
            if quoted is None:
                self._fail("This string is never closed.", start)
            return Token("string", _ESCAPED.sub(r"\1", quoted[1]), start), quoted.end()
        if kind == "multiline":
            closing = _MULTILINE_END.search(self.text, end)
            if closing is None:
                self._fail("This text is never ended by a line with a single dot.", start)
            return Token("string", _DOT_START.sub(".", self.text[end : closing.start()]), start), closing.end()
        if kind == "number":
            return self._number(match["number"], start), end
        if kind == "special":
            return Token("special", match["special"], start), end
        if kind == "tag":
            return Token("tag", match["tag"].lower(), start), end
        return Token("identifier", match["identifier"].lower(), start), end

    def _number(self, written: str, start: int) -> Token:
        digits = written.rstrip("KMGkmg")
        value = int(digits) if len(digits) <= 20 else NUMBER_LIMIT
        value *= _QUANTIFIERS.get(written[-1].lower(), 1)
        if value >= NUMBER_LIMIT:
            self._fail("This number is too large.", start)
        return Token("number", written, start, value)
