"""Canonical forms of header fields and bodies (RFC 6376 §3.4), the body as a stream of any cut.

Every form takes time linear in its input and memory of a chunk: runs of empty lines are counted, not kept.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

Canonicalization = Literal["simple", "relaxed"]

_CRLF = b"\r\n"
_BREAK = re.compile(rb"\r?\n")
_FIELD_SPACE = re.compile(rb"[ \t]+")
_SPACES = re.compile(rb"\t[ \t]*| [ \t]+")  # what folding changes: a single space stays as it is
_ODD_SPACE = re.compile(rb"[\x0b\x0c]|\r(?!\n)")
_BREAKS_AT_ONCE = 32 * 1024


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """A header field, relaxed, without its line break; `value` is raw, folding and all (RFC 6376 §3.4.2)."""
    if _ODD_SPACE.search(value) is None:
        return name.lower() + b":" + b" ".join(value.split())
    unfolded = _FIELD_SPACE.sub(b" ", _BREAK.sub(b"", value)).strip(b" \t\r")
    return name.lower() + b":" + unfolded


def simple_body(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A body, simple (RFC 6376 §3.4.3): one line break at its end, however many there were, none included."""
    breaks = 0
    carry = b""
    for chunk in chunks:
        data = carry + chunk if carry else chunk
        carry = b"\r" if data.endswith(b"\r") else b""
        count = _breaks_at_end(data, len(data) - len(carry))
        end = len(data) - len(carry) - 2 * count
        if end:
            yield from _breaks(breaks)
            yield data[:end]
            breaks = 0
        breaks += count
    if carry:
        yield from _breaks(breaks)
        yield carry
    yield _CRLF


def relaxed_body(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A body, relaxed (RFC 6376 §3.4.4): spaces folded, none at line ends, no empty lines at the end."""
    breaks = 0
    carry = b""  # white space and a CR, of which it is not known yet whether they end a line
    is_empty = True
    for chunk in chunks:
        data = carry + chunk if carry else chunk
        line = data.removesuffix(b"\r")
        block = line.rstrip(b" \t")
        carry = (b" " if len(block) < len(line) else b"") + (b"\r" if len(line) < len(data) else b"")
        block = _relaxed(block)
        count = _breaks_at_end(block, len(block))
        end = len(block) - 2 * count
        if end:
            yield from _breaks(breaks)
            yield block[:end]
            breaks = 0
            is_empty = False
        breaks += count
    if carry.endswith(b"\r"):
        yield from _breaks(breaks)
        yield carry
        is_empty = False
    if not is_empty:
        yield _CRLF


BODY: Mapping[Canonicalization, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "simple": simple_body,
    "relaxed": relaxed_body,
}


def _relaxed(block: bytes) -> bytes:
    if b"\t" in block or b"  " in block:
        block = _SPACES.sub(b" ", block)
    return block.replace(b" \r\n", _CRLF) if b" \r\n" in block else block


def _breaks_at_end(data: bytes, end: int) -> int:
    """How many CRLF `data[:end]` ends with."""
    if not data.endswith(_CRLF, 0, end):
        return 0
    if not data.endswith(b"\r\n\r\n", 0, end):
        return 1
    tail = data[len(data[:end].rstrip(_CRLF)) : end]
    # CR and LF in any order: from behind, pairs last until two of the same stand together
    start = max(tail.rfind(b"\n\n"), tail.rfind(b"\r\r")) + 1
    if tail.startswith(b"\n", start):
        start += 1
    return (len(tail) - start) // 2


def _breaks(count: int) -> Iterator[bytes]:
    while count > 0:
        yield _CRLF * min(count, _BREAKS_AT_ONCE)
        count -= _BREAKS_AT_ONCE
