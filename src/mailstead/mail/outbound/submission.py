"""What submission does to a message (RFC 6409 §8): Date and Message-ID added, Bcc taken out, nothing else touched.

A field that only the mail exchanger may set is taken out, too.
"""

from collections.abc import Iterator

import msgspec

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.date import format_date
from mailstead.formats.message.header import header_end, iter_field_ranges, unfold
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool

HEADER_LIMIT = 1024 * 1024
_ADDED_LIMIT = 1000
_TAKEN_AWAY = (b"bcc", b"x-mailstead-verdict")  # nobody but the mail exchanger says what is junk


class SubmittedHeader(msgspec.Struct, frozen=True):
    """A submitted message's header: as it goes on, and what the sender rules look at."""

    header: bytes
    original_size: int
    message_id: str
    authors: tuple[str, ...]


def read_header(message: Spool) -> bytes:
    """The header of a spooled message with its empty line; at most 1 MiB is read."""
    held = b""
    for chunk in message.chunks():
        held += chunk
        end = header_end(held, 0, len(held))
        if end < len(held) or len(held) >= HEADER_LIMIT:
            return held[:end]
    return held[: header_end(held, 0, len(held))]


def prepare_header(original: bytes, hostname: str, now: float) -> SubmittedHeader:
    """The header to be sent for `original`."""
    kept: list[bytes] = []
    position = 0
    seen: dict[bytes, bytes] = {}
    authors: list[str] = []
    for name, start, end in iter_field_ranges(original):
        lowered = name.lower()
        value = unfold(original[start:end].partition(b":")[2])
        seen.setdefault(lowered, value)
        if lowered in (b"from", b"sender"):
            authors += [address.specification for address in parse_addresses(value, _ADDED_LIMIT) if address.domain]
        if lowered in _TAKEN_AWAY:
            kept.append(original[position:start])
            position = end
    kept.append(original[position:])
    added = b""
    identifier = seen.get(b"message-id", b"").strip(b"<> ").decode("utf-8", "replace")
    if not identifier:
        identifier = f"{new_ulid(now)}@{hostname}"
        added += f"Message-ID: <{identifier}>\r\n".encode()
    if not seen.get(b"date"):
        added += f"Date: {format_date(now)}\r\n".encode()
    header = added + b"".join(kept)
    if not header.endswith((b"\r\n\r\n", b"\n\n")) and header not in (b"\r\n", b"\n"):
        header += b"\r\n" if header.endswith(b"\n") else b"\r\n\r\n"
    return SubmittedHeader(header, len(original), identifier, tuple(authors))


def body_chunks(message: Spool, header_size: int) -> Iterator[bytes]:
    """The message's octets after its header."""
    left = header_size
    for chunk in message.chunks():
        if left >= len(chunk):
            left -= len(chunk)
            continue
        yield chunk[left:] if left else chunk
        left = 0
