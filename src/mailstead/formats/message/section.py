"""Parts of a message by IMAP section (RFC 9051 §6.4.5.1), and their content decoded."""

import binascii
from collections.abc import Sequence
from typing import Literal

from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_base64
from mailstead.formats.message.header import iter_field_ranges
from mailstead.formats.message.part import Part
from mailstead.formats.message.structure import MESSAGE_TYPES

SectionKind = Literal["", "HEADER", "TEXT", "MIME"]


def find_part(parts: Sequence[Part], path: str) -> int | None:
    """The table's index of section `path`; "1" of a message with one body is the message."""
    if path in ("", "1") and not parts[0].is_multipart:
        return 0
    return next((index for index, part in enumerate(parts) if part.path == path), None)


def section_range(parts: Sequence[Part], path: str, kind: SectionKind) -> tuple[int, int] | None:
    """Offsets of BODY[path.kind] in the message, None when there is no such section."""
    root = parts[0]
    if not path:
        whole = {"": (0, root.body_end), "HEADER": (0, root.body_start), "TEXT": (root.body_start, root.body_end)}
        return whole.get(kind)
    index = find_part(parts, path)
    if index is None or path.endswith("TEXT"):
        return None
    part = parts[index]
    if kind == "":
        return part.body_start, part.body_end
    if kind == "MIME":
        return part.header_start, part.body_start
    if part.type not in MESSAGE_TYPES:
        return None
    inner = next((other for other in parts[index + 1 :] if other.parent == index), None)
    if inner is None:
        return None
    return (inner.header_start, inner.body_start) if kind == "HEADER" else (inner.body_start, inner.body_end)


def header_fields(header_block: bytes, names: frozenset[bytes], negate: bool) -> bytes:
    """The fields with (or with `negate` without) one of the lower-case `names`, and the empty line."""
    kept = [
        header_block[start:end]
        for name, start, end in iter_field_ranges(header_block)
        if (name.lower() in names) != negate
    ]
    if kept and not kept[-1].endswith(b"\n"):
        kept.append(b"\r\n")
    return b"".join(kept) + b"\r\n"


def decode_content(data: bytes, encoding: str) -> bytes:
    """`data` without its transfer encoding; unknown encodings are left as they are. Never raises."""
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    return data


def decode_part(raw: bytes, part: Part) -> bytes:
    """A leaf's content."""
    return decode_content(bytes(raw[part.body_start : part.body_end]), part.encoding)


def part_text(raw: bytes, part: Part) -> str:
    """A text leaf's content as text."""
    return decode(decode_part(raw, part), part.charset)
