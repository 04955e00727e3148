"""Encoded words in header values (RFC 2047), and raw 8-bit text where people write it anyway.

encoded-word = "=?" charset ["*" language] "?" ("B" / "Q") "?" encoded-text "?="
"""

import binascii
import re

from mailstead.formats.message.charset import decode

_WORD = re.compile(rb"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?]*)\?=")
_HEXADECIMAL = re.compile(rb"=([0-9A-Fa-f]{2})")
_BASE64_NOISE = re.compile(rb"[^A-Za-z0-9+/]")


def decode_base64(data: bytes) -> bytes:
    """What the base64 in `data` encodes, whatever else stands between; never raises."""
    cleaned = _BASE64_NOISE.sub(b"", data.partition(b"=")[0])  # padding ends it, whatever follows
    rest = len(cleaned) % 4
    if rest == 1:
        cleaned, rest = cleaned[:-1], 0
    return binascii.a2b_base64(cleaned + b"=" * (-len(cleaned) % 4))


def _decode_word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return decode_base64(text)
    return _HEXADECIMAL.sub(lambda found: bytes((int(found[1], 16),)), text.replace(b"_", b" "))


def decode_header_value(value: bytes) -> str:
    """The text of an unfolded header value. Never raises.

    White space between two encoded words is dropped (RFC 2047 §6.2); adjacent words of one charset are joined before
    they are decoded, because mail programs cut multi-byte characters in two.
    """
    if b"=?" not in value:
        return decode(value)
    pieces: list[str] = []
    held: list[bytes] = []
    held_charset = ""
    position = 0
    for found in _WORD.finditer(value):
        between = value[position : found.start()]
        charset = found[1].decode("ascii", "replace").lower()
        if held and (between.strip() or charset != held_charset):
            pieces.append(decode(b"".join(held), held_charset))
            held.clear()
        if between.strip() or (position == 0 and between):
            pieces.append(decode(between))
        held_charset = charset
        held.append(_decode_word(found[2], found[3]))
        position = found.end()
    if held:
        pieces.append(decode(b"".join(held), held_charset))
    pieces.append(decode(value[position:]))
    return "".join(pieces)
