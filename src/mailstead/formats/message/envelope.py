"""ENVELOPE as ready response bytes (RFC 9051 §7.5.2).

envelope = "(" date subject from sender reply-to to cc bcc in-reply-to message-id ")"
"""

from collections.abc import Mapping

from mailstead.formats.message.address import Address, parse_addresses
from mailstead.formats.message.imap_string import nstring, string


def envelope(header: Mapping[bytes, bytes], limit: int) -> bytes:
    """The envelope of a header's first values (lower-case names, unfolded); at most `limit` addresses a field."""
    senders = _addresses(header.get(b"from"), limit)
    fields = [
        nstring(header.get(b"date")),
        nstring(header.get(b"subject")),
        senders,
        _or(_addresses(header.get(b"sender"), limit), senders),
        _or(_addresses(header.get(b"reply-to"), limit), senders),
        *(_addresses(header.get(name), limit) for name in (b"to", b"cc", b"bcc")),
        nstring(header.get(b"in-reply-to")),
        nstring(header.get(b"message-id")),
    ]
    return b"(%b)" % b" ".join(fields)


def _or(value: bytes, default: bytes) -> bytes:
    return default if value == b"NIL" else value


def _addresses(value: bytes | None, limit: int) -> bytes:
    if not value:
        return b"NIL"
    found = parse_addresses(value, limit)
    return b"(%b)" % b"".join(map(_address, found)) if found else b"NIL"


def _address(address: Address) -> bytes:
    if address.group is not None:
        return b"(NIL NIL %b NIL)" % (string(address.group) if address.group else b"NIL")
    name = string(address.name) if address.name else b"NIL"
    return b"(%b NIL %b %b)" % (name, string(address.local), string(address.domain or b"MISSING_DOMAIN"))
