r"""From bytes to lines and message data, without I/O.

    input = *( line CRLF / *( data CRLF ) "." CRLF / chunk )

Only CR LF ends a line, and only CR LF "." CR LF ends a message (RFC 5321 §2.3.8, §4.1.1.4). In a message a bare CR or
LF is told to the session, which refuses the message or takes it unchanged; in a command it is the end of the
conversation: nothing after it is read. So no peer, however lenient, and we can ever see two messages where the other
sees one. Message data is searched and unstuffed in blocks; there is no loop over lines.
"""

from typing import Literal

import msgspec


class Line(msgspec.Struct, frozen=True):
    """A command line without its CR LF."""

    text: bytes


class LongLine(msgspec.Struct, frozen=True):
    """A line over the limit, passed over."""


class BareNewline(msgspec.Struct, frozen=True):
    """A CR or LF alone in a command: nothing more is read."""


class Content(msgspec.Struct, frozen=True):
    """Some of a message, dots unstuffed; `is_last` with the last of it, which may be empty."""

    data: bytes
    is_last: bool


Event = Line | LongLine | BareNewline | Content
_CRLF = b"\r\n"
_DOT = b"\r\n."
_END = b"\r\n.\r\n"
_CR = 13


class Parser:
    """Feed with `receive`, ask with `next_event` until it gives None. Holds at most a line and one chunk of input."""

    __slots__ = (
        "_before",
        "_chunk_left",
        "_cr_waits",
        "_failed",
        "_held",
        "_line_limit",
        "_mode",
        "_position",
        "_skipping",
        "has_bare_newline",
    )

    def __init__(self, line_limit: int) -> None:
        self._line_limit = line_limit
        self._held = b""
        self._position = 0
        self._mode: Literal["line", "begin", "data", "chunk"] = "line"
        self._skipping = False
        self._failed = False
        self._chunk_left = 0
        self._before = 0  # octets put before the message's first
        self._cr_waits = False
        self.has_bare_newline = False  # in the message data since the last `begin_...`

    def receive(self, data: bytes) -> None:
        """Add what arrived."""
        if self._failed:
            return
        self._held = self._held[self._position :] + data if self._position < len(self._held) else data
        self._position = 0

    @property
    def has_input(self) -> bool:
        """Whether bytes wait that no event has told of."""
        return self._position < len(self._held)

    @property
    def is_in_message(self) -> bool:
        """Whether message data is awaited."""
        return self._mode != "line"

    def begin_data(self) -> None:
        """What follows is a message up to the final dot."""
        self._mode = "begin"
        self.has_bare_newline = False

    def begin_chunk(self, size: int, *, is_first: bool) -> None:
        """What follows are `size` octets of a BDAT chunk (RFC 3030 §2)."""
        self._mode = "chunk"
        self._chunk_left = size
        if is_first:
            self.has_bare_newline = self._cr_waits = False

    def next_event(self, line_limit: int | None = None) -> Event | None:
        """The next event, None when more bytes are needed; `line_limit` is for this line alone."""
        if self._mode == "line":
            return self._next_line(self._line_limit if line_limit is None else line_limit)
        if self._mode == "chunk":
            return self._next_chunk()
        return self._next_data()

    # lines

    def _next_line(self, limit: int) -> Event | None:
        held, start = self._held, self._position
        end = held.find(b"\n", start)
        if end < 0:
            return self._unfinished(limit)
        if end == start or held[end - 1] != _CR or held.find(b"\r", start, end - 1) >= 0:
            return self._fail()
        self._position = end + 1
        if self._skipping or end + 1 - start > limit:
            self._skipping = False
            return LongLine()
        return Line(held[start : end - 1])

    def _unfinished(self, limit: int) -> Event | None:
        held = self._held
        if held.find(b"\r", self._position, len(held) - 1) >= 0:
            return self._fail()
        if len(held) - self._position > limit:
            self._skipping = True
            self._position = len(held) - held.endswith(b"\r")
        return None

    def _fail(self) -> Event:
        self._failed = True
        self._held, self._position = b"", 0
        return BareNewline()

    # message data

    def _next_data(self) -> Event | None:
        if not self.has_input:
            return None
        block = self._held[self._position :] if self._position else self._held
        if self._mode == "begin":
            # the CR LF of the DATA command stands before the first line, so that a dot there is seen as one
            block = _CRLF + block
            self._mode = "data"
            self._before = len(_CRLF)
        dot = block.find(_DOT)
        end = dot if dot < 0 or block.startswith(_END, dot) else block.find(_END, dot + 3)
        size = len(block) - _held_back(block) if end < 0 else end + 2
        self._held, self._position = block, size
        if size == 0:
            return None
        data = block[:size]
        if not _is_canonical(data):
            self.has_bare_newline = True
        if 0 <= dot < size - 2:
            data = data.replace(_DOT, _CRLF)
        if self._before:
            data, self._before = data[self._before :], 0
        if end < 0:
            return Content(data, False)
        self._position = end + len(_END)
        self._mode = "line"
        return Content(data, True)

    def _next_chunk(self) -> Event | None:
        if self._chunk_left and not self.has_input:
            return None
        data = self._held[self._position : self._position + self._chunk_left]
        self._position += len(data)
        self._chunk_left -= len(data)
        if data:
            # a CR LF may be cut in two: a CR is looked at together with what follows it
            seen = b"\r" + data if self._cr_waits else data
            self._cr_waits = seen.endswith(b"\r")
            if not _is_canonical(seen[:-1] if self._cr_waits else seen):
                self.has_bare_newline = True
        if self._chunk_left == 0:
            self._mode = "line"
            return Content(data, True)
        return Content(data, False)

    def end_of_chunks(self) -> None:
        """The last chunk is in: a CR at its very end was alone."""
        if self._cr_waits:
            self._cr_waits = False
            self.has_bare_newline = True


def _held_back(block: bytes) -> int:
    """How many octets at the end may be the begin of the final dot, or of a stuffed one."""
    for size in (4, 3, 2, 1):
        if block.endswith(_END[:size]):
            return size
    return 0


def _is_canonical(data: bytes) -> bool:
    """Whether every CR and LF is part of a CR LF; one split and one join cost half of three counts."""
    joined = _CRLF.join(data.splitlines())
    return joined == data or (data.endswith(_CRLF) and data.startswith(joined) and len(joined) + 2 == len(data))
