"""Replies of a server, read from bytes of any cut (RFC 5321 §4.2).

reply = *( code "-" [text] CRLF ) code [SP text] CRLF
"""

import re

import msgspec

from mailstead.foundation.errors import TemporaryError

_LINE = re.compile(rb"([2-5][0-9]{2})([ -]?)([^\r\n]*)")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
LINE_LIMIT = 8192
LINES_LIMIT = 128


class BadReplyError(TemporaryError):
    """The server does not speak SMTP."""

    smtp_code = 451
    enhanced_code = "4.5.0"
    public_text = "The remote server gave an unusable reply"


class Reply(msgspec.Struct, frozen=True):
    """A whole reply; `enhanced` is "" when the server gives none (RFC 2034 §4)."""

    code: int
    enhanced: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines as one."""
        return " ".join(self.lines)

    @property
    def positive(self) -> bool:
        """2yz or 3yz."""
        return self.code < 400

    @property
    def permanent(self) -> bool:
        """5yz."""
        return self.code >= 500


class ReplyParser:
    """Collects bytes and gives whole replies; memory is bounded by the limits above."""

    def __init__(self) -> None:
        self._held = b""
        self._lines: list[tuple[int, str]] = []

    def receive(self, data: bytes) -> None:
        """Add what arrived."""
        self._held += data

    def next_reply(self) -> Reply | None:
        """The next whole reply, None when more bytes are needed. Raises BadReplyError."""
        while True:
            line, newline, rest = self._held.partition(b"\n")
            if not newline:
                if len(self._held) > LINE_LIMIT:
                    raise BadReplyError(detail="line too long")
                return None
            self._held = rest
            found = _LINE.fullmatch(line.rstrip(b"\r"))
            if found is None or len(line) > LINE_LIMIT:
                raise BadReplyError(detail=repr(line[:80]))
            self._lines.append((int(found[1]), found[3].decode("utf-8", "replace").strip()))
            if len(self._lines) > LINES_LIMIT:
                raise BadReplyError(detail="too many lines")
            if found[2] != b"-":
                return self._finish()

    def _finish(self) -> Reply:
        lines, self._lines = self._lines, []
        code = lines[-1][0]
        if any(other != code for other, _ in lines):
            raise BadReplyError(detail="codes differ within a reply")
        enhanced = _ENHANCED.match(lines[0][1])
        status = enhanced[1] if enhanced and enhanced[1][0] == str(code)[0] else ""
        texts = tuple(text.removeprefix(status).strip() if status else text for _, text in lines)
        return Reply(code, status, texts)
