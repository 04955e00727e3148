"""Header fields of a block of bytes.

    field = name *WSP ":" value *(line-break WSP value) line-break        (RFC 5322 §2.2, lines may end in bare LF)

Lines that are no field (a damaged header, an mbox "From " line) are passed over.
"""

import re
from collections.abc import Iterator

from mailstead.formats.message.part import Octets

_FIELD = re.compile(rb"^([^\s:]{1,998})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)", re.MULTILINE)
_BLANK_LINE = re.compile(rb"\n\r?\n")
_BREAK = re.compile(rb"\r?\n")


def header_end(raw: Octets, start: int, end: int) -> int:
    """Where the body begins in `raw[start:end]`: after the first empty line; `end` when there is none."""
    if raw[start : start + 1] == b"\n":
        return min(start + 1, end)
    if raw[start : start + 2] == b"\r\n":
        return min(start + 2, end)
    found = _BLANK_LINE.search(raw, start, end)
    return found.end() if found else end


def iter_fields(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name as written and raw value, with its folding and without the last line break, of each field in order."""
    for found in _FIELD.finditer(block):
        name, value = found.groups()
        yield name, value.removesuffix(b"\r")


def iter_field_ranges(block: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name and range in `block`, last line break included, of each field in order."""
    for found in _FIELD.finditer(block):
        yield found[1], found.start(), found.end()


def unfold(value: bytes) -> bytes:
    """A field's value on one line: line breaks removed, the white space after them kept (RFC 5322 §2.2.3)."""
    if b"\n" in value:
        value = _BREAK.sub(b"", value)
    return value.strip(b" \t\r")


def first_values(block: bytes, limit: int) -> dict[bytes, bytes]:
    """The first value of each field, unfolded, by lower-case name; fields past `limit` octets are not looked at."""
    found: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(block[:limit]):
        key = name.lower()
        if key not in found:
            found[key] = (_BREAK.sub(b"", value) if b"\n" in value else value).strip(b" \t\r")
    return found
