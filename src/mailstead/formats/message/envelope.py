"""ENVELOPE as ready response bytes (RFC 9051 §7.5.2).

envelope = "(" date subject from sender reply-to to cc bcc in-reply-to message-id ")"
"""

from collections.abc import Mapping, Sequence

from mailstead.formats.message.address import Address, parse_addresses
from mailstead.formats.message.imap_string import nstring, string

Addresses = Mapping[bytes, Sequence[Address]]
_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")


def header_addresses(header: Mapping[bytes, bytes], limit: int) -> Addresses:
    """The addresses of each field that has some, by lower-case name; at most `limit` of a field."""
    return {name: parse_addresses(header[name], limit) for name in _FIELDS if header.get(name)}


def envelope(header: Mapping[bytes, bytes], limit: int) -> bytes:
    """The envelope of a header's first values (lower-case names, unfolded); at most `limit` addresses a field."""
    return envelope_of(header, header_addresses(header, limit))


def envelope_of(header: Mapping[bytes, bytes], addresses: Addresses) -> bytes:
    """The same where the addresses are known already."""
    senders = _list(addresses.get(b"from"))
    fields = (
        nstring(header.get(b"date")),
        nstring(header.get(b"subject")),
        senders,
        _or(_list(addresses.get(b"sender")), senders),
        _or(_list(addresses.get(b"reply-to")), senders),
        _list(addresses.get(b"to")),
        _list(addresses.get(b"cc")),
        _list(addresses.get(b"bcc")),
        nstring(header.get(b"in-reply-to")),
        nstring(header.get(b"message-id")),
    )
    return b"(%b)" % b" ".join(fields)


def _or(value: bytes, default: bytes) -> bytes:
    return default if value == b"NIL" else value


def _list(addresses: Sequence[Address] | None) -> bytes:
    return b"(%b)" % b"".join(map(_address, addresses)) if addresses else b"NIL"


def _address(address: Address) -> bytes:
    if address.ends_group:
        return b"(NIL NIL NIL NIL)"
    if address.group is not None:
        return b"(NIL NIL %b NIL)" % string(address.group)
    name = string(address.name) if address.name else b"NIL"
    return b"(%b NIL %b %b)" % (name, string(address.local), string(address.domain or b"MISSING_DOMAIN"))
