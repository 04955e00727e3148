"""Text of a message for search and preview."""

import re
from collections.abc import Sequence

import msgspec

from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.message.html import html_to_text
from mailstead.formats.message.part import Part, Sliceable
from mailstead.formats.message.section import decode_content

PREVIEW_CHARACTERS = 200
_PREVIEW_BYTES = 8 * 1024
_FIRST_LINES = 1024
_HTML_PREVIEW_BYTES = 48 * 1024
TEXT_LIMIT = 4 * 1024 * 1024
_QUOTE_SIGN = re.compile(r">|wrote:|-- ")
_QUOTE = re.compile(r"^(?:>.*|On .{0,200} wrote:|-- )\r?$", re.MULTILINE)


class SearchText(msgspec.Struct, frozen=True):
    """What full-text search sees."""

    headers: str
    body: str


def _leaf_text(raw: Sliceable, part: Part, limit: int) -> str:
    data = bytes(raw[part.body_start : min(part.body_end, part.body_start + limit)])
    text = decode(decode_content(data, part.encoding), part.charset)
    return html_to_text(text) if part.type == "text/html" else text


def preview_text(raw: Sliceable, parts: Sequence[Part]) -> str:
    """The first words that were written, quotations left out (RFC 8970 §3.1); at most 200 characters."""
    texts = [part for part in parts if part.type.startswith("text/") and part.disposition != "attachment"]
    texts.sort(key=lambda part: part.type != "text/plain")
    for part in texts[:2]:
        if part.type == "text/html":
            text = _leaf_text(raw, part, _HTML_PREVIEW_BYTES)
        else:
            if part.body_end - part.body_start > _FIRST_LINES:
                # the first lines nearly always suffice; the last of them may be cut, and is left out
                shown = _written(_leaf_text(raw, part, _FIRST_LINES).rpartition("\n")[0])
                if len(shown) >= PREVIEW_CHARACTERS:
                    return _shown(shown)
            text = _leaf_text(raw, part, _PREVIEW_BYTES)
        shown = _written(text) or " ".join(text.split())
        if shown:
            return _shown(shown)
    return ""


def _written(text: str) -> str:
    own = _QUOTE.sub("", text) if _QUOTE_SIGN.search(text) else text
    return " ".join(own.split())


def _shown(text: str) -> str:
    return text[:PREVIEW_CHARACTERS].replace("\0", "")


def search_text(raw: Sliceable, parts: Sequence[Part], limit: int = TEXT_LIMIT) -> SearchText:
    """Decoded header values, and the text of text parts and inner headers; at most `limit` octets of a part."""
    block = bytes(raw[parts[0].header_start : parts[0].body_start])
    headers = "\n".join(
        f"{name.decode('latin-1')}: {decode_header_value(unfold(value))}" for name, value in iter_fields(block)
    )
    pieces: list[str] = []
    left = limit
    for part in parts:
        if part.filename:
            pieces.append(part.filename)
        if part.type.startswith("text/") and left > 0:
            text = _leaf_text(raw, part, left)
            left -= len(text)
            pieces.append(text)
    return SearchText(headers, "\n".join(pieces))
