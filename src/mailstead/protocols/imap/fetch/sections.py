"""FETCH items that are octets of the message: BODY[...], BINARY[...], RFC822 (RFC 9051 §6.4.5.1, §7.5.2)."""

from collections.abc import Callable, Sequence

from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content, find_part, header_fields, section_range
from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.fetch import Section

Read = Callable[[int, int], bytes]  # octets of the message from one offset to another
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


def extent(parts: Sequence[Part], section: Section) -> tuple[int, int] | None:
    """Offsets of the octets that a raw section without header names is, its partial taken; None: no such section."""
    place = section_range(parts, section.path, section.kind)
    if place is None:
        return None
    if section.size is None:
        return place
    start = min(place[0] + section.start, place[1])
    return start, min(start + section.size, place[1])


def is_stretch(section: Section) -> bool:
    """Whether the section is a stretch of the message as it is."""
    return section.fields is None and section.content == "raw"


def computed(parts: Sequence[Part], section: Section, read: Read) -> bytes | int | None:
    """A section that has to be made: named header fields, decoded content, or its length. Raises NoError."""
    if section.fields is not None:
        place = section_range(parts, section.path, "HEADER")
        data = None if place is None else header_fields(read(*place), section.fields, section.negate)
    else:
        data = _decoded(parts, section.path, read)
    if section.content == "length":
        return 0 if data is None else len(data)
    if data is None or section.size is None:
        return data
    return data[section.start : section.start + section.size]


def _decoded(parts: Sequence[Part], path: str, read: Read) -> bytes | None:
    """A leaf without its transfer encoding; what holds other parts is as it is (RFC 3516 §4.3)."""
    place = section_range(parts, path, "")
    if place is None:
        return None
    data = read(*place)
    index = find_part(parts, path) if path else None
    if index is None or parts[index].is_multipart:
        return data
    encoding = parts[index].encoding
    if encoding not in _ENCODINGS:
        raise NoError("Transfer encoding not known", "UNKNOWN-CTE")
    return decode_content(data, encoding)


def shown(label: bytes, data: bytes | int | None, *, binary: bool) -> bytes:
    """An item with its value; `binary` content with NULs is a literal8."""
    if data is None:
        return b"%b NIL" % label
    if isinstance(data, int):
        return b"%b %d" % (label, data)
    tilde = b"~" if binary and b"\0" in data else b""
    return b"%b %b{%d}\r\n%b" % (label, tilde, len(data), data)
