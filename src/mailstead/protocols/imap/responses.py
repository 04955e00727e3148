"""Responses as bytes (RFC 9051 §7): status lines, flags, VANISHED."""

import msgspec

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.imap.grammar.sequence import format_ranges
from mailstead.stores.mailbox.flags import NAMES
from mailstead.stores.mailbox.records import Ranges

SYSTEM_FLAGS = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"
FLAG_TEXTS = [" ".join(name for flag, name in NAMES.items() if bits & flag).encode() for bits in range(32)]

RECENT_FLAG_TEXTS = [b"%b \\Recent" % text if text else b"\\Recent" for text in FLAG_TEXTS]


class Ok(msgspec.Struct, frozen=True):
    """How a command ended well: the text of its tagged OK and a response code, without brackets."""

    text: str = "Done"
    code: bytes = b""


def status(tag: str, kind: str, text: str, code: bytes = b"") -> bytes:
    """A tagged or untagged status response (RFC 9051 §7.1)."""
    line = f"{tag} {kind} ".encode()
    return b"%b[%b] %b\r\n" % (line, code, text.encode()) if code else b"%b%b\r\n" % (line, text.encode())


def failure(tag: str, error: MailsteadError, kind: str = "NO") -> bytes:
    """NO, BAD or BYE from an error."""
    return status(tag, kind, error.public_text, (error.imap_code or "").encode())


def flags_text(bits: int, keywords: str, recent: bool) -> bytes:
    """A flag list's content."""
    text = FLAG_TEXTS[bits & 31]
    if keywords:
        text = b"%b %b" % (text, keywords.encode()) if text else keywords.encode()
    if recent:
        text = b"%b \\Recent" % text if text else b"\\Recent"
    return text


def vanished(ranges: Ranges, *, earlier: bool = False) -> bytes:
    """VANISHED (RFC 7162 §3.2.10)."""
    return b"* VANISHED %b%b\r\n" % (b"(EARLIER) " if earlier else b"", format_ranges(ranges))
