"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1), RFC 2231 extensions.

value *(";" attribute "=" (token / quoted-string))

Comments may stand anywhere between (RFC 2045 §5.1). Before the first semicolon, after one, and
after a space at the end of a token they are left out; elsewhere parentheses are part of a value, because far more file
names have unquoted parentheses than there are comments.
"""

import re
from urllib.parse import unquote_to_bytes

from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value

_PARAMETER = re.compile(
    rb';[ \t]*(?:\([^()]*\)[ \t]*)?([^\s=;"]{1,200})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.DOTALL
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_SEGMENT = re.compile(rb"(.+?)(?:\*(\d{1,3}))?(\*)?", re.DOTALL)
_COMMENT_MARK = re.compile(rb"[;()]|\\.", re.DOTALL)
_TOKEN_LIMIT = 1000
PARAMETERS_LIMIT = 64

Parameters = list[tuple[bytes, bytes]]


def parse_parameters(value: bytes) -> tuple[bytes, Parameters]:
    """The value before the first semicolon, lower case, and parameters as written, names lower case; at most 64."""
    if b";" not in value and b"(" not in value:
        return value.strip().lower(), []
    main = value.partition(b";")[0]
    start = len(main)
    if b"(" in main:
        main, start = _without_comments(value)
    found: Parameters = []
    if start < len(value):
        for match in _PARAMETER.finditer(value, start):
            name, quoted, plain = match.groups()
            text = _QUOTED_PAIR.sub(rb"\1", quoted) if quoted is not None else _token(plain)
            found.append((name.lower(), text))
            if len(found) == PARAMETERS_LIMIT:
                break
    return main.strip().lower(), found


def _without_comments(value: bytes) -> tuple[bytes, int]:
    """What stands outside comments before the first semicolon, and where that is; a comment without end is none."""
    pieces: list[bytes] = []
    depth, after = 0, 0
    for mark in _COMMENT_MARK.finditer(value):
        match mark[0]:
            case b"(":
                if depth == 0:
                    pieces.append(value[after : mark.start()])
                depth += 1
            case b")" if depth:
                depth -= 1
                after = mark.end()
            case b";" if depth == 0:
                return b"".join((*pieces, value[after : mark.start()])), mark.start()
    if depth:
        main = value.partition(b";")[0]
        return main, len(main)
    return b"".join((*pieces, value[after:])), len(value)


def _token(text: bytes) -> bytes:
    """A value without quotes, and without the comment that follows it."""
    text = text.strip()
    if not text.endswith(b")") or len(text) > _TOKEN_LIMIT:
        return text
    depth = 0
    for place in range(len(text) - 1, 0, -1):
        depth += {b")": 1, b"(": -1}.get(text[place : place + 1], 0)
        if depth == 0:
            return text[:place].rstrip() if text[place - 1 : place].isspace() else text
    return text


def parameter_text(parameters: Parameters, wanted: bytes) -> str:
    """One parameter decoded: RFC 2231 segments and charset, else encoded words, else raw text. "" when absent."""
    segments: dict[int, tuple[bytes, bool]] = {}
    for name, value in parameters:
        if name == wanted:
            return decode_header_value(value)
        if b"*" not in name:
            continue
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
