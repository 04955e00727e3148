"""From bytes to command lines, without I/O.

    command = keyword *(SP param) CRLF        (RFC 2449 §3)

Only CR LF ends a line. After a bare CR or LF nothing that follows is read as a command: the parser has failed for good.
"""

import msgspec


class Line(msgspec.Struct, frozen=True):
    """A line without its CR LF."""

    text: bytes


class LongLine(msgspec.Struct, frozen=True):
    """A line over the limit, passed over."""


class BareNewline(msgspec.Struct, frozen=True):
    """A CR or LF alone: the end of this conversation."""


Event = Line | LongLine | BareNewline


class Parser:
    """Feed with `receive`, ask with `next_event` until it gives None. Holds at most a line and one chunk."""

    def __init__(self, line_limit: int) -> None:
        self._line_limit = line_limit
        self._held = b""
        self._position = 0
        self._skipping = False
        self._failed = False

    def receive(self, data: bytes) -> None:
        """Add what arrived."""
        if self._failed:
            return
        self._held = self._held[self._position :] + data
        self._position = 0

    @property
    def has_input(self) -> bool:
        """Whether bytes wait that no event has told of."""
        return self._position < len(self._held)

    def next_event(self, line_limit: int | None = None) -> Event | None:
        """The next event, None when more bytes are needed; `line_limit` is for this line alone."""
        limit = self._line_limit if line_limit is None else line_limit
        held, start = self._held, self._position
        end = held.find(b"\n", start)
        if end < 0:
            return self._unfinished(limit)
        if end == start or held[end - 1] != 13 or held.find(b"\r", start, end - 1) >= 0:
            return self._fail()
        self._position = end + 1
        if self._skipping or end + 1 - start > limit:
            self._skipping = False
            return LongLine()
        return Line(held[start : end - 1])

    def _unfinished(self, limit: int) -> Event | None:
        held = self._held
        bare = held.find(b"\r", self._position, len(held) - 1)
        if bare >= 0:
            return self._fail()
        if len(held) - self._position > limit:
            self._skipping = True
            self._position = len(held) - held.endswith(b"\r")
        return None

    def _fail(self) -> Event:
        self._failed = True
        self._held, self._position = b"", 0
        return BareNewline()
