"""From bytes to whole commands, and from a command's text to its tokens, without I/O (RFC 9051 §9).

    command = tag SP name [SP arguments] CRLF;  literal = "{" number ["+"] "}" CRLF *OCTET

A literal's octets are kept beside the text, which holds a reference to them between NULs: NUL cannot stand in a line.
"""

import re

import msgspec

from mailstead.foundation.errors import InvalidError

_LITERAL = re.compile(rb"\{(\d{1,12})(\+?)\}\Z")
_TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|~]{1,64}")
_TOKEN = re.compile(
    rb'"((?:[^"\\\r\n]|\\["\\])*)"|\0(\d+)\0|([^\s()"\0\[\]]*\[[^\]\0"]*(?:"[^"]*"[^\]\0"]*)*\](?:<\d+(?:\.\d+)?>)?|[^\s()"\0]+)'
)
LITERALS_LIMIT = 64


class CommandError(InvalidError):
    """The command is not of the grammar's form; answered with BAD."""


class Command(msgspec.Struct, frozen=True):
    """A whole command; `arguments` is the text after the name."""

    tag: str
    name: str
    arguments: bytes
    literals: tuple[bytes, ...]


class Continue(msgspec.Struct, frozen=True):
    """The client waits for a "+" before it sends a literal."""


class Bad(msgspec.Struct, frozen=True):
    """No command: `fatal` when the session cannot go on."""

    tag: str
    why: str
    fatal: bool = False


class CommandReader:
    """Feed with `receive`; `literal_limit` is set by the session as it logs in."""

    def __init__(self, line_limit: int, literal_limit: int) -> None:
        self._line_limit = line_limit
        self.literal_limit = literal_limit
        self._held = b""
        self._text = b""
        self._literals: list[bytes] = []
        self._wanted = -1

    def receive(self, data: bytes) -> None:
        """Add what arrived."""
        self._held += data

    def has_input(self) -> bool:
        """Whether bytes wait."""
        return bool(self._held)

    def take_line(self) -> bytes | None:
        """A bare line, for AUTHENTICATE and IDLE; None when it is not whole yet. Raises CommandError."""
        end = self._held.find(b"\n")
        if end < 0:
            if len(self._held) > self._line_limit:
                raise CommandError("Line too long")
            return None
        line, self._held = self._held[:end], self._held[end + 1 :]
        return line.removesuffix(b"\r")

    def next_event(self) -> Command | Continue | Bad | None:
        """The next event, None when more bytes are needed."""
        while True:
            if self._wanted >= 0:
                if len(self._held) < self._wanted:
                    return None
                self._literals.append(self._held[: self._wanted])
                self._text += b"\0%d\0" % (len(self._literals) - 1)
                self._held = self._held[self._wanted :]
                self._wanted = -1
            end = self._held.find(b"\n")
            if end < 0 or end + len(self._text) > self._line_limit:
                if max(len(self._held), end) + len(self._text) > self._line_limit:
                    return Bad("*", "Line too long", True)
                return None
            line, self._held = self._held[:end].removesuffix(b"\r"), self._held[end + 1 :]
            found = _LITERAL.search(line)
            if b"\0" in line:
                return self._refuse("NUL in a command", fatal=found is not None)
            if found is None:
                return self._whole(line)
            size, plus = int(found[1]), bool(found[2])
            self._text += line[: found.start()]
            if size > self.literal_limit or len(self._literals) >= LITERALS_LIMIT:
                return self._refuse("[TOOBIG] Literal too big", fatal=plus)
            self._wanted = size
            if not plus:
                return Continue()

    def _refuse(self, why: str, *, fatal: bool) -> Bad:
        tag = self._text.partition(b" ")[0].decode("ascii", "replace") or "*"
        self._text, self._literals = b"", []
        return Bad(tag if _TAG.fullmatch(tag.encode()) else "*", why, fatal)

    def _whole(self, line: bytes) -> Command | Bad:
        text, literals = self._text + line, tuple(self._literals)
        self._text, self._literals = b"", []
        tag, _, rest = text.partition(b" ")
        name, _, arguments = rest.partition(b" ")
        if not _TAG.fullmatch(tag) or not name.isalnum():
            return Bad(tag.decode() if _TAG.fullmatch(tag) else "*", "Not a command")
        return Command(tag.decode(), name.decode().upper(), arguments, literals)


Value = bytes | list["Value"]


class Token(bytes):
    """A string that was quoted or a literal, so that an atom with a meaning is told from it."""


def parse_values(command: Command, nesting: int) -> list[Value]:
    """The arguments as nested lists. Raises CommandError."""
    text = command.arguments
    stack: list[list[Value]] = [[]]
    place = 0
    while place < len(text):
        octet = text[place : place + 1]
        if octet == b" ":
            place += 1
        elif octet == b"(":
            if len(stack) > nesting:
                raise CommandError("Nested too deeply")
            stack.append([])
            place += 1
        elif octet == b")":
            if len(stack) < 2:
                raise CommandError("Parenthesis without a begin")
            done = stack.pop()
            stack[-1].append(done)
            place += 1
        else:
            found = _TOKEN.match(text, place)
            if found is None:
                raise CommandError("Not understood")
            quoted, literal, atom = found.groups()
            if quoted is not None:
                stack[-1].append(Token(re.sub(rb"\\(.)", rb"\1", quoted)))
            elif literal is not None:
                stack[-1].append(Token(command.literals[int(literal)]))
            else:
                stack[-1].append(atom)
            place = found.end()
    if len(stack) != 1:
        raise CommandError("Parenthesis without an end")
    return stack[0]


def text_of(value: Value) -> str:
    """A string or atom as text. Raises CommandError for a list and for what is not UTF-8."""
    if isinstance(value, list):
        raise CommandError("A string is wanted, not a list")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("Not UTF-8") from None


def list_of(value: Value) -> list[Value]:
    """A list. Raises CommandError."""
    if not isinstance(value, list):
        raise CommandError("A list is wanted")
    return value
