"""Canonical forms of header fields and bodies (RFC 6376 §3.4), the body as a stream of any cut."""

import re
from collections.abc import Iterable, Iterator

_SPACE = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_EMPTY_LINES = re.compile(rb"(?:\r\n)+\Z")


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """A header field, relaxed, without its line break; `value` is raw, folding and all (RFC 6376 §3.4.2)."""
    unfolded = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return name.lower() + b":" + _SPACE.sub(b" ", unfolded).strip(b" \t\r")


def relaxed_body(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A body, relaxed (RFC 6376 §3.4.4): spaces folded, none at line ends, no empty lines at the end."""
    held = b""  # an unfinished line
    empty = 0  # empty lines not yet known to be followed by others
    for chunk in chunks:
        data = held + chunk
        end = data.rfind(b"\r\n")
        if end < 0:
            held = data
            continue
        block, held = data[: end + 2], data[end + 2 :]
        pieces, empty = _without_empty_end(_relaxed(block), empty)
        yield from pieces
    if held:
        yield from _without_empty_end(_relaxed(held + b"\r\n"), empty)[0]


def _relaxed(block: bytes) -> bytes:
    if b"\t" in block or b"  " in block:
        block = _SPACE.sub(b" ", block)
    if b" \r\n" in block:
        block = _TRAILING.sub(b"", block)
    return block


def _without_empty_end(block: bytes, empty: int) -> tuple[list[bytes], int]:
    """What can be said of `block` after `empty` held lines, and how many empty lines are held now."""
    stripped = _EMPTY_LINES.sub(b"", block)
    if not stripped:
        return [], empty + len(block) // 2
    held = (len(block) - len(stripped)) // 2 - 1
    return [b"\r\n" * empty, stripped, b"\r\n"], held
