"""Content lines as octets (RFC 5545 §3.1, RFC 6350 §3.2)."""

import re
from collections.abc import Iterable

from mailstead.formats.content_lines.line import ContentLine

LINE_OCTETS = 75
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_QUOTED = re.compile("[:;,]")
_CARETS = {"^": "^^", "\n": "^n", '"': "^'"}
_CARET = re.compile('[\\^\n"]')
_ESCAPE = re.compile(r"[\\;,\n]")


def escape(text: str) -> str:
    r"""TEXT with its escapes: \, ; , and line breaks (RFC 5545 §3.3.11)."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub(lambda match: "\\n" if match[0] == "\n" else "\\" + match[0], plain)


def _parameter(value: str) -> str:
    """A parameter's value, quoted and with carets where needed (RFC 6868 §3)."""
    plain = _CONTROL.sub("", _CARET.sub(lambda match: _CARETS[match[0]], value))
    return f'"{plain}"' if _QUOTED.search(plain) or not plain else plain


def write_line(line: ContentLine) -> bytes:
    """The line with its folds and its end. Control characters, which no line can have, are left out."""
    head = f"{line.group}.{line.name}" if line.group else line.name
    for name, values in line.parameters:
        head += f";{name}={','.join(_parameter(value) for value in values)}"
    return fold(f"{head}:{_CONTROL.sub('', line.value)}".encode("utf-8", "replace"))


def fold(octets: bytes) -> bytes:
    """`octets` in lines of at most 75, no character parted, with CRLF (RFC 5545 §3.1)."""
    lines: list[bytes] = []
    start, room = 0, LINE_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80 and end > start + room - 3:
            end -= 1
        lines.append(octets[start:end])
        start, room = end, LINE_OCTETS - 1  # the blank that marks a fold counts
    lines.append(octets[start:])
    return b"\r\n ".join(lines) + b"\r\n"


def text_line(name: str, text: str, parameters: Iterable[tuple[str, str]] = ()) -> ContentLine:
    """A property of type TEXT; parameters of one value each."""
    return ContentLine(name, escape(text), tuple((key, (value,)) for key, value in parameters))
