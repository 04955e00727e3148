"""From bytes to commands, without I/O (RFC 5804 §4).

    command     = atom *(SP argument) CRLF
    argument    = string / number
    string      = quoted / literal-c2s
    quoted      = DQUOTE *1024QUOTED-CHAR DQUOTE         ; no CR, LF, NUL; "\\" before DQUOTE and "\\"
    literal-c2s = "{" number "+}" CRLF *OCTET
    number      = "0" / (NZDIGIT *DIGIT)                 ; below 2^32

Only CR LF ends a line. A literal past the limit is passed over with the rest of its command when it is not much too
large; else, and after a bare CR or LF, the parser has failed for good.
"""

import re
from typing import TypeAlias

import msgspec

Argument: TypeAlias = bytes | int

_TOKEN = re.compile(
    rb'"((?:[^"\\\r\n\x00]|\\["\\])*+)"|([0-9]+)(?=[ ]|\Z)|\{([0-9]{1,10})\+\}\Z|([!#-\'*-\[\]-z|}~]{1,1024})(?=[ ]|\Z)'
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL_AT_END = re.compile(rb"\{([0-9]{1,10})\+\}\Z")
_QUOTED_LIMIT = 1024
_NUMBER_LIMIT = 2**32
_SKIPPED_LIMIT = 4 * 1024 * 1024


class Command(msgspec.Struct, frozen=True):
    """A command: its name in capitals, strings as octets, numbers as such."""

    name: str
    arguments: tuple[Argument, ...]


class Response(msgspec.Struct, frozen=True):
    """The one string of a line that answers a challenge."""

    data: bytes


class Malformed(msgspec.Struct, frozen=True):
    """What is no command; `too_large` when a literal is, `fatal` when nothing after it can be read."""

    text: str
    too_large: bool = False
    fatal: bool = False


Event: TypeAlias = Command | Response | Malformed


class Parser:
    """Feed with `receive`, ask with `next_event` until it gives None. Holds at most a line, the literals, one chunk."""

    def __init__(self, line_limit: int) -> None:
        self._line_limit = line_limit
        self._held = b""
        self._position = 0
        self._failed = False
        self._begun = False  # the command under way had a line already
        self._tokens: list[Argument] = []
        self._name = ""
        self._size = 0  # octets of its literals
        self._literal: int | None = None  # octets of the literal that is being read
        self._problem: Malformed | None = None  # the command is passed over, and why
        self._skip = self._passed = 0

    def receive(self, data: bytes) -> None:
        """Add what arrived."""
        if not self._failed:
            self._held = self._held[self._position :] + data
            self._position = 0

    @property
    def has_input(self) -> bool:
        """Whether bytes wait that no event has told of."""
        return self._position < len(self._held) or self._begun

    def next_event(self, literal_limit: int, *, answers: bool = False) -> Event | None:
        """The next event, None when more bytes are needed.

        Strings of one command have at most `literal_limit` octets together. With `answers` a line is one string.
        """
        while not self._failed:
            if self._skip:
                taken = min(self._skip, len(self._held) - self._position)
                self._position += taken
                self._skip -= taken
                if self._skip:
                    return None
            if self._literal is not None and not self._take_literal():
                return None
            line = self._line()
            if line is None or isinstance(line, Malformed):
                return line
            event = self._read(line, literal_limit, answers)
            if event is not None:
                return event
        return None

    def _take_literal(self) -> bool:
        assert self._literal is not None
        end = self._position + self._literal
        if end > len(self._held):
            return False
        self._tokens.append(self._held[self._position : end])
        self._position = end
        self._literal = None
        return True

    def _line(self) -> bytes | Malformed | None:
        held, start = self._held, self._position
        end = held.find(b"\n", start)
        stop = len(held) if end < 0 else end
        if held.find(b"\r", start, stop - 1) >= 0 or (end >= 0 and (end == start or held[end - 1] != 13)):
            return self._fail("Lines end with CR LF; nothing more is read")
        if stop - start > self._line_limit:
            return self._fail("Line too long")
        if end < 0:
            return None
        self._position = end + 1
        return held[start : end - 1]

    def _read(self, line: bytes, literal_limit: int, answers: bool) -> Event | None:
        """Take the words of a line, or of what follows a literal; None when the command goes on with a literal."""
        position = 0
        continues = self._begun
        self._begun = True
        while self._problem is None and (position < len(line) or not continues):
            if continues:
                if line[position : position + 1] != b" ":
                    return self._pass_over("Arguments are separated by one space", line)
                position += 1
            found = _TOKEN.match(line, position)
            if found is None:
                return self._pass_over("Not a string or number" if self._name else "Not a command", line)
            position = found.end()
            complaint = self._word(found, literal_limit, answers)
            if complaint:
                return self._pass_over(complaint, line)
            continues = True
        if self._problem is not None:
            return self._pass_over(self._problem.text, line)
        return None if self._literal is not None else self._finish(answers)

    def _word(self, found: "re.Match[bytes]", literal_limit: int, answers: bool) -> str:
        """Take one word; gives what is wrong with it."""
        quoted, number, literal, atom = found.groups()
        if atom is not None:
            if self._name or answers:
                return "Not a string or number"
            self._name = atom.decode("ascii").upper()
            return ""
        if not self._name and not answers:
            return "A command begins with its name"
        if quoted is not None:
            self._tokens.append(_ESCAPED.sub(rb"\1", quoted))
            return f"A quoted string has at most {_QUOTED_LIMIT} octets" if len(quoted) > _QUOTED_LIMIT else ""
        if number is not None:
            if len(number) > 10 or int(number) >= _NUMBER_LIMIT or (number[:1] == b"0" and number != b"0"):
                return "Not a number of 32 bits"
            self._tokens.append(int(number))
            return ""
        self._size += int(literal)
        if self._size > literal_limit:
            self._problem = Malformed(f"At most {literal_limit} octets are taken", too_large=True)
            return self._problem.text
        self._literal = int(literal)
        return ""

    def _pass_over(self, text: str, line: bytes) -> Event | None:
        """The command is none: what belongs to it, literals too, must not be read as commands."""
        self._problem = self._problem or Malformed(text)
        literal = _LITERAL_AT_END.search(line)
        if literal is None:
            return self._finish(answers=False)
        self._skip = int(literal[1])
        self._passed += self._skip
        return self._fail("The string is much too large") if self._passed > _SKIPPED_LIMIT else None

    def _finish(self, answers: bool) -> Event:
        name, tokens, problem = self._name, tuple(self._tokens), self._problem
        self._reset()
        if problem is not None:
            return problem
        if not answers:
            return Command(name, tokens)
        if len(tokens) != 1 or not isinstance(tokens[0], bytes):
            return Malformed("One string is expected")
        return Response(tokens[0])

    def _fail(self, text: str) -> Malformed:
        self._failed = True
        self._held, self._position = b"", 0
        self._reset()
        return Malformed(text, fatal=True)

    def _reset(self) -> None:
        self._name, self._tokens, self._literal, self._problem = "", [], None, None
        self._size = self._passed = 0
        self._begun = False
