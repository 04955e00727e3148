"""From bytes to whole commands, literals included (RFC 9051 §4.3, RFC 7888, RFC 3516 §4.4).

    command = tag SP command-name *(SP argument) CRLF
    literal = "{" number64 ["+"] "}" CRLF *CHAR8;  literal8 = "~{" number64 ["+"] "}" CRLF *OCTET

A literal's octets are kept beside the text, which holds a reference to them between NULs: NUL cannot stand in a line.
What is held is bounded: a line by its limit, small literals by theirs, and large ones (messages) go to a Spool.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.errors import CommandError

_LITERAL = re.compile(rb"(~?)\{(\d{1,19})(\+?)\}\Z")
_TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|~]{1,64}")
_HEAD = re.compile(rb"\S{1,64} ([Uu][Ii][Dd] )?(\w+)")
# Commands that bring messages, and how many blanks stand before the first
_MESSAGE_COMMANDS = {b"APPEND": 3, b"REPLACE": 4}


class Literal(msgspec.Struct, frozen=True):
    """A literal's octets; `binary` for literal8. Messages come as a Spool, which the command's end closes."""

    data: bytes | Spool
    binary: bool = False


class CommandText(msgspec.Struct, frozen=True):
    """A whole command: `name` in capitals, with its `UID ` where it has one; `arguments` begin with their space."""

    tag: str
    name: str
    arguments: bytes
    literals: tuple[Literal, ...]


class Continue(msgspec.Struct, frozen=True):
    """The client waits for a "+" before it sends a literal."""


class Refused(msgspec.Struct, frozen=True):
    """No command: `fatal` when the stream cannot be followed any further."""

    tag: str
    why: str
    code: str = ""
    bad: bool = True
    fatal: bool = False


class ReaderLimits(msgspec.Struct, frozen=True):
    """Octets of a line and of a literal; of a message and of all messages of one command; how many literals."""

    line: int
    literal: int
    message: int
    messages: int
    literals: int


class CommandReader:
    """Feed with `receive`, ask with `next_event`; the session sets `limits` as it logs in."""

    def __init__(self, limits: ReaderLimits, make_spool: Callable[[], Spool]) -> None:
        self.limits = limits
        self._make_spool = make_spool
        self._held = bytearray()
        self._scanned = 0
        self._text: list[bytes] = []
        self._text_size = 0
        self._literals: list[Literal] = []
        self._spooled = 0
        self._sink: Spool | bytearray | None = None  # None while a literal is passed over
        self._wanted = -1
        self._binary = False
        self._refused: Refused | None = None

    def receive(self, data: bytes) -> None:
        """Add what arrived; a literal's octets go to their place at once."""
        if self._wanted > 0 and not self._held:
            taken = min(self._wanted, len(data))
            self._sink_append(data if taken == len(data) else data[:taken])
            self._wanted -= taken
            if taken == len(data):
                return
            data = data[taken:]
        self._held += data

    def has_input(self) -> bool:
        """Whether bytes wait."""
        return bool(self._held)

    def take_line(self) -> bytes | None:
        """A bare line, for AUTHENTICATE and IDLE; None when it is not whole yet. Raises CommandError."""
        end = self._held.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._held)
            if len(self._held) > self.limits.line:
                raise CommandError("Line too long")
            return None
        return self._cut(end)

    def _cut(self, end: int) -> bytes:
        line = bytes(self._held[:end]).removesuffix(b"\r")
        del self._held[: end + 1]
        self._scanned = 0
        return line

    def next_event(self) -> CommandText | Continue | Refused | None:
        """The next event, None when more bytes are needed."""
        while True:
            if self._wanted >= 0 and not self._take_literal():
                return None
            end = self._held.find(b"\n", self._scanned)
            size = self._text_size + (end if end >= 0 else len(self._held))
            if size > self.limits.line:
                return self._give_up("Line too long")
            if end < 0:
                self._scanned = len(self._held)
                return None
            line = self._cut(end)
            found = _LITERAL.search(line) if line.endswith(b"}") else None
            if b"\0" in line:
                return self._give_up("NUL in a command")
            if found is None:
                return self._whole(line)
            self._add_text(line[: found.start()])
            event = self._begin_literal(int(found[2]), binary=bool(found[1]), waits=not found[3])
            if event is not None:
                return event

    def _begin_literal(self, size: int, *, binary: bool, waits: bool) -> Continue | Refused | None:
        limits = self.limits
        is_message = limits.message > 0 and self._is_message()
        most = limits.message if is_message else limits.literal
        refused = None
        if size > most or (is_message and self._spooled + size > limits.messages):
            refused = Refused(self._tag(), "Literal too big", "TOOBIG", bad=not is_message)
        elif len(self._literals) >= limits.literals:
            refused = Refused(self._tag(), "Too many literals", "LIMIT")
        if refused is not None and waits:
            self._drop()
            return refused  # the client has not sent the octets and will not
        if refused is not None and size > 2 * limits.message:
            return self._give_up(refused.why, refused.code)
        self._refused = self._refused or refused
        self._wanted, self._binary = size, binary
        if self._refused is not None:
            self._sink = None
        elif is_message:
            self._sink = self._make_spool()
            self._spooled += size
        else:
            self._sink = bytearray()
        return Continue() if waits and self._refused is None else None

    def _is_message(self) -> bool:
        """Whether the literal that begins can be a message: the mailbox name before it is whole."""
        text = b"".join(self._text)
        head = _HEAD.match(text)
        blanks = _MESSAGE_COMMANDS.get(head[2].upper()) if head is not None else None
        if head is None or blanks is None:
            return False
        return text.count(b" ") >= blanks + (head[1] is not None)

    def _sink_append(self, data: bytes) -> None:
        if isinstance(self._sink, Spool):
            self._sink.append(data)
        elif self._sink is not None:
            self._sink += data

    def _take_literal(self) -> bool:
        """Take octets of the literal that were held; whether it is whole."""
        taken = min(self._wanted, len(self._held))
        if taken:
            self._sink_append(bytes(self._held[:taken]))
            del self._held[:taken]
            self._wanted -= taken
        if self._wanted:
            return False
        self._wanted = -1
        if self._sink is not None:
            data = self._sink if isinstance(self._sink, Spool) else bytes(self._sink)
            self._literals.append(Literal(data, self._binary))
            self._sink = None
            self._add_text(b"\0%d\0" % (len(self._literals) - 1))
        return True

    def _add_text(self, text: bytes) -> None:
        self._text.append(text)
        self._text_size += len(text)

    def _tag(self) -> str:
        tag = self._text[0].partition(b" ")[0] if self._text else b""
        return tag.decode() if _TAG.fullmatch(tag) else "*"

    def _give_up(self, why: str, code: str = "") -> Refused:
        refused = Refused(self._tag(), why, code, fatal=True)
        self.close()
        return refused

    def _reset(self) -> None:
        self._text.clear()
        self._text_size = self._spooled = 0
        self._literals = []
        self._refused = None

    def _drop(self) -> None:
        close_literals(self._literals)
        self._reset()

    def close(self) -> None:
        """Give back what a command that is not whole holds."""
        if isinstance(self._sink, Spool):
            self._sink.close()
        self._sink = None
        self._wanted = -1
        self._held.clear()
        self._scanned = 0
        self._drop()

    def _whole(self, line: bytes) -> CommandText | Refused:
        self._add_text(line)
        if self._refused is not None:
            refused = self._refused
            self._drop()
            return refused
        text, literals = b"".join(self._text), tuple(self._literals)
        self._reset()
        tag, _, rest = text.partition(b" ")
        name, space, arguments = rest.partition(b" ")
        if not _TAG.fullmatch(tag):
            return _not_a_command("*", literals)
        if name.upper() == b"UID":
            inner, space, arguments = arguments.partition(b" ")
            name += b" " + inner
        if not name.replace(b" ", b"", 1).isalnum():
            return _not_a_command(tag.decode(), literals)
        return CommandText(tag.decode(), name.decode().upper(), space + arguments, literals)


def close_literals(literals: Iterable[Literal]) -> None:
    """Give back the memory and files of messages."""
    for literal in literals:
        if isinstance(literal.data, Spool):
            literal.data.close()


def _not_a_command(tag: str, literals: tuple[Literal, ...]) -> Refused:
    close_literals(literals)
    return Refused(tag, "Not a command")
