"""Everything that is ever asked about a message, found once when it arrives.

Offsets refer to the bytes as they are; nothing here raises on any bytes, and work and memory are bounded by `Bounds`.
"""

import re
from collections.abc import Mapping

import msgspec

from mailstead.formats.message.address import address_text
from mailstead.formats.message.bodystructure import bodystructure
from mailstead.formats.message.date import parse_date
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.envelope import envelope_of, header_addresses
from mailstead.formats.message.part import Bounds, Octets, Part
from mailstead.formats.message.structure import Structure
from mailstead.formats.message.subject import base_subject
from mailstead.formats.message.text import preview_text

_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,998})>")
_REFERENCES_LIMIT = 100
_ADDRESS_FIELDS = (b"from", b"to", b"cc", b"bcc")
_NO_BOUNDS = Bounds()


class MessageIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is. `envelope`, `bodystructure` and `body` are ready IMAP response bytes."""

    size: int
    header_size: int
    envelope: bytes
    bodystructure: bytes
    body: bytes
    parts: tuple[Part, ...]
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    base_subject: str
    sent_at: int | None
    from_text: str
    to_text: str
    cc_text: str
    bcc_text: str
    preview: str


def message_ids(value: bytes) -> tuple[str, ...]:
    """The message identifiers in a field's value, without angle brackets; the last hundred."""
    return tuple(found.decode("utf-8", "replace") for found in _MESSAGE_ID.findall(value)[-_REFERENCES_LIMIT:])


def index_message(raw: Octets, bounds: Bounds = _NO_BOUNDS) -> MessageIndex:
    """The index of a whole message. Never raises."""
    structure = Structure(raw, bounds)
    header: Mapping[bytes, bytes] = structure.root.header
    parts = tuple(structure.parts)
    subject = decode_header_value(header.get(b"subject", b""))
    addresses = header_addresses(header, bounds.addresses)
    texts = [address_text(addresses.get(name, ())) for name in _ADDRESS_FIELDS]
    extended, plain = bodystructure(structure.root, parts, bounds.addresses)
    identifiers = message_ids(header.get(b"message-id", b""))
    return MessageIndex(
        size=len(raw),
        header_size=parts[0].body_start,
        envelope=envelope_of(header, addresses),
        bodystructure=extended,
        body=plain,
        parts=parts,
        message_id=identifiers[0] if identifiers else "",
        in_reply_to=message_ids(header.get(b"in-reply-to", b"")),
        references=message_ids(header.get(b"references", b"")),
        subject=subject,
        base_subject=base_subject(subject),
        sent_at=parse_date(header[b"date"]) if b"date" in header else None,
        from_text=texts[0],
        to_text=texts[1],
        cc_text=texts[2],
        bcc_text=texts[3],
        preview=preview_text(raw, parts),
    )
