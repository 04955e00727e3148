"""Strings of IMAP responses (RFC 9051 §4.3): quoted where that can be, else literals."""

import re

_SPECIAL = re.compile(rb'[\x00\r\n\x80-\xff"\\]')
_NEEDS_LITERAL = re.compile(rb"[\x00\r\n\x80-\xff]")
_NEEDS_ESCAPE = re.compile(rb'(["\\])')
_QUOTED_LIMIT = 8000


def string(value: bytes) -> bytes:
    """`value` as a quoted string, or as a literal when it has 8-bit octets or line breaks; NUL is left out."""
    if len(value) <= _QUOTED_LIMIT:
        if not _SPECIAL.search(value):
            return b'"%b"' % value
        if not _NEEDS_LITERAL.search(value):
            return b'"%b"' % _NEEDS_ESCAPE.sub(rb"\\\1", value)
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """A string, or NIL for None."""
    return b"NIL" if value is None else string(value)
