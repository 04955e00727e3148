"""Replies (RFC 5321 §4.2) with enhanced status codes (RFC 2034, RFC 3463)."""

import msgspec

from mailstead.foundation.errors import MailsteadError

_TEXT_LIMIT = 400


class Reply(msgspec.Struct, frozen=True):
    """A reply, ready to be sent."""

    code: int
    encoded: bytes

    @property
    def is_error(self) -> bool:
        """Whether it refuses, for now or for good."""
        return self.code >= 400


def reply(code: int, enhanced: str, *lines: str) -> Reply:
    """A reply of one or more lines; `enhanced` is "" where none belongs (greeting, EHLO, 3yz)."""
    prefix = f"{enhanced} " if enhanced else ""
    last = len(lines) - 1
    encoded = "".join(
        f"{code}{' ' if number == last else '-'}{prefix}{_safe(line)}\r\n" for number, line in enumerate(lines)
    )
    return Reply(code, encoded.encode())


def reply_to_error(error: MailsteadError) -> Reply:
    """What a peer is told of an error."""
    return reply(error.smtp_code, error.enhanced_code, error.public_text)


def _safe(line: str) -> str:
    """No peer's text can break a reply's line, and what it cannot show is left out (RFC 6531 §3.7.4)."""
    line = line[:_TEXT_LIMIT]
    if line.isascii() and line.isprintable():
        return line
    return "".join(letter if " " <= letter <= "~" else "?" for letter in line)
