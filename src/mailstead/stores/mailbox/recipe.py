"""How a message is put together from blobs: header, stretches of body, and large parts on their own.

A base64 part is kept decoded when encoding it again gives back the very same bytes, so that the same attachment is one
blob however the mail programs wrapped it, and compression can work.
"""

import binascii
from collections.abc import Iterator, Sequence

import apsw
import msgspec

from mailstead.formats.message.part import Part
from mailstead.stores.mailbox.blobs import put_blob, read_blob, release_blob
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.connection import select

LARGE_PART = 16 * 1024
_LINE_MOST = 998
CHUNK_OCTETS = 192 * 1024


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """`length` octets of the message from one blob; `line` > 0: base64 of the blob in lines of so many characters.

    `crlf` tells the line break, `final` whether the last line has one.
    """

    blob: int
    length: int
    line: int = 0
    crlf: bool = True
    final: bool = False


Recipe = list[Segment]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Segment]).decode


def _encode_lines(data: bytes, line: int, crlf: bool, final: bool) -> bytes:
    text = binascii.b2a_base64(data, newline=False)
    separator = b"\r\n" if crlf else b"\n"
    joined = separator.join([text[start : start + line] for start in range(0, len(text), line)])
    return joined + separator if final else joined


def _decoded(body: bytes) -> tuple[bytes, int, bool, bool] | None:
    """The decoded part and its wrapping, None when wrapping it again would not give back `body`."""
    first = body.find(b"\n")
    crlf = first > 0 and body[first - 1 : first] == b"\r"
    line = first - crlf if first >= 0 else len(body)
    if not 0 < line <= _LINE_MOST or line % 4:
        return None
    final = body.endswith(b"\n")
    try:
        data = binascii.a2b_base64(body)
    except binascii.Error:
        return None
    return (data, line, crlf, final) if _encode_lines(data, line, crlf, final) == body else None


def write_message(connection: apsw.Connection, codec: Codec, raw: bytes, parts: Sequence[Part]) -> bytes:
    """Store the bytes of a message; returns the recipe. Inside a transaction."""
    recipe: Recipe = []
    header = parts[0].body_start

    def stretch(start: int, end: int) -> None:
        if end > start:
            recipe.append(Segment(put_blob(connection, codec, raw[start:end]), end - start))

    stretch(0, header)
    position = header
    inner = {part.parent for part in parts}
    for index, part in enumerate(parts):
        if index in inner or part.body_end - part.body_start < LARGE_PART or part.body_start < position:
            continue
        stretch(position, part.body_start)
        body = raw[part.body_start : part.body_end]
        decoded = _decoded(body) if part.encoding == "base64" else None
        if decoded is None:
            stretch(part.body_start, part.body_end)
        else:
            data, line, crlf, final = decoded
            recipe.append(Segment(put_blob(connection, codec, data), len(body), line, crlf, final))
        position = part.body_end
    stretch(position, len(raw))
    return _encode(recipe)


def release_message(connection: apsw.Connection, recipe: bytes) -> None:
    """Give back the blobs of a recipe. Inside a transaction."""
    for segment in _decode(recipe):
        release_blob(connection, segment.blob)


def read_message(connection: apsw.Connection, codec: Codec, recipe: bytes, start: int, end: int) -> Iterator[bytes]:
    """The octets `start` to `end` of the message, in pieces."""
    offset = 0
    for segment in _decode(recipe):
        low, high = max(start - offset, 0), min(end - offset, segment.length)
        offset += segment.length
        if low >= high:
            continue
        if segment.line == 0:
            yield from read_blob(connection, codec, segment.blob, low, high)
        else:
            yield from _read_base64(connection, codec, segment, low, high)


def _read_base64(connection: apsw.Connection, codec: Codec, segment: Segment, low: int, high: int) -> Iterator[bytes]:
    """Encode only the lines that are asked for; a batch of lines at a time."""
    width = segment.line + (2 if segment.crlf else 1)
    octets = segment.line // 4 * 3
    size = int(select(connection, "SELECT size FROM blob WHERE id = ?", (segment.blob,))[0][0])
    batch = max(CHUNK_OCTETS // octets, 1)
    number = low // width
    position = number * width
    while position < high:
        data = b"".join(
            read_blob(connection, codec, segment.blob, number * octets, min((number + batch) * octets, size))
        )
        last = (number + batch) * octets >= size
        text = _encode_lines(data, segment.line, segment.crlf, segment.final if last else True)
        yield text[max(low - position, 0) : high - position]
        number += batch
        position += len(text)
        if last:
            return
