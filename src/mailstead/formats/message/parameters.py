"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1), RFC 2231 extensions.

value *(";" attribute "=" (token / quoted-string))
"""

import re
from urllib.parse import unquote_to_bytes

from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value

_PARAMETER = re.compile(rb';[ \t]*([^\s=;"]{1,200})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_SEGMENT = re.compile(rb"(.+?)(?:\*(\d{1,3}))?(\*)?", re.DOTALL)
PARAMETERS_LIMIT = 64

Parameters = list[tuple[bytes, bytes]]


def parse_parameters(value: bytes) -> tuple[bytes, Parameters]:
    """The value before the first semicolon, lower case, and parameters as written, names lower case; at most 64."""
    main, semicolon, _ = value.partition(b";")
    found: Parameters = []
    if semicolon:
        for match in _PARAMETER.finditer(value, len(main)):
            name, quoted, plain = match.groups()
            text = _QUOTED_PAIR.sub(rb"\1", quoted) if quoted is not None else plain.strip()
            found.append((name.lower(), text))
            if len(found) == PARAMETERS_LIMIT:
                break
    return main.strip().lower(), found


def parameter_text(parameters: Parameters, wanted: bytes) -> str:
    """One parameter decoded: RFC 2231 segments and charset, else encoded words, else raw text. "" when absent."""
    segments: dict[int, tuple[bytes, bool]] = {}
    for name, value in parameters:
        if name == wanted:
            return decode_header_value(value)
        match = _SEGMENT.fullmatch(name)
        if match and match[1] == wanted:
            segments.setdefault(int(match[2] or 0), (value, match[3] is not None))
    if not segments:
        return ""
    charset = ""
    pieces: list[bytes] = []
    for number in sorted(segments):
        value, extended = segments[number]
        if extended:
            if number == 0 and value.count(b"'") >= 2:
                name, _, value = value.split(b"'", 2)
                charset = name.decode("ascii", "replace")
            value = unquote_to_bytes(value)
        pieces.append(value)
    return decode(b"".join(pieces), charset)
