"""FETCH items that are octets of the message: BODY[...], BINARY[...], RFC822 (RFC 9051 §6.4.5.1, §7.5.2)."""

from collections.abc import Sequence

from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content, find_part, header_fields, section_range
from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.fetch import Section

_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


def is_stretch(section: Section) -> bool:
    """Whether the section is a stretch of the message as it is."""
    return section.fields is None and section.content == "raw"


def is_whole(section: Section) -> bool:
    """Whether it is the message itself, for which no part table is needed."""
    return not section.path and not section.kind and section.size is None and section.content == "raw"


def extent(parts: Sequence[Part], section: Section) -> tuple[int, int] | None:
    """Offsets of the octets that the section is, or is made from; None: there is no such section.

    A partial narrows a stretch. Raises NoError for a transfer encoding that is not known (RFC 3516 §4.3).
    """
    place = section_range(parts, section.path, section.kind)
    if place is None or not is_stretch(section):
        if place is not None and section.content != "raw":
            _encoding(parts, section.path)
        return place
    if section.size is None:
        return place
    start = min(place[0] + section.start, place[1])
    return start, min(start + section.size, place[1])


def _encoding(parts: Sequence[Part], path: str) -> str:
    """The transfer encoding of a leaf; "" for the message itself and for what holds other parts."""
    index = find_part(parts, path) if path else None
    if index is None or parts[index].is_multipart:
        return ""
    if parts[index].encoding not in _ENCODINGS:
        raise NoError("Transfer encoding not known", "UNKNOWN-CTE")
    return parts[index].encoding


def value(parts: Sequence[Part], section: Section, data: bytes) -> bytes | int:
    """The section from the octets of its extent."""
    if is_stretch(section):
        return data
    if section.fields is not None:
        data = header_fields(data, section.fields, section.negate)
    else:
        data = decode_content(data, _encoding(parts, section.path))
    if section.content == "length":
        return len(data)
    return data if section.size is None else data[section.start : section.start + section.size]


def shown(section: Section, data: bytes | int | None) -> bytes:
    """An item with its value; decoded content with NULs is a literal8."""
    if data is None:
        return b"%b NIL" % section.label
    if isinstance(data, int):
        return b"%b %d" % (section.label, data)
    tilde = b"~" if section.content == "decoded" and b"\0" in data else b""
    return b"%b %b{%d}\r\n%b" % (section.label, tilde, len(data), data)
