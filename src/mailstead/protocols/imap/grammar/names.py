"""Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3), or UTF-8 where that is enabled (RFC 9051 §5.1).

mailbox = "INBOX" / astring
"""

import re

from mailstead.formats.message.imap_string import string
from mailstead.formats.modified_utf7 import decode_utf7 as decoded_utf7
from mailstead.formats.modified_utf7 import encode_utf7
from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.cursor import Cursor

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def decode_utf7(text: str) -> str:
    """A name in modified UTF-7. Raises NoError for what is none."""
    try:
        return decoded_utf7(text)
    except ValueError:
        raise NoError("Not a mailbox name", "CANNOT") from None


def decode_name(octets: bytes, utf8: bool) -> str:
    """A name, or a pattern, as the client wrote it. Raises CommandError, NoError."""
    text = Cursor.decoded(octets)
    return text if utf8 else decode_utf7(text)


def mailbox(cursor: Cursor) -> str:
    """mailbox"""
    return decode_name(cursor.astring(), cursor.utf8)


def shown(name: str, utf8: bool) -> bytes:
    """A name as the client reads it."""
    if not utf8:
        return string(encode_utf7(name).encode())
    octets = name.encode("utf-8", "replace")
    if _CONTROL.search(octets):
        return string(octets)
    return b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
