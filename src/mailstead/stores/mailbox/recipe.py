"""How a message is put together from blobs: header, stretches of body, and large parts on their own.

A base64 part is kept decoded when encoding it again gives back the very same bytes, so that the same attachment is one
blob however the mail programs wrapped it, and compression can work. Messages may be memory maps: nothing here holds
more than a few hundred kilobytes of one at once.
"""

import binascii
from collections.abc import Callable, Iterator, Sequence

import apsw
import msgspec

from mailstead.formats.message.part import Octets, Part
from mailstead.foundation.crypto.stream import Rechunker
from mailstead.stores.mailbox.blobs import CHUNK_SIZE, put_blob, read_blob, read_first_chunks, release_blob
from mailstead.stores.mailbox.codec import Codec, Kind
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.errors import MailboxDamagedError

LARGE_PART = 16 * 1024
_LINE_MOST = 998
_BATCH_OCTETS = 192 * 1024


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
decode_recipe = msgspec.msgpack.Decoder(list[Segment]).decode


class _Wrapping(msgspec.Struct, frozen=True):
    """How a base64 part is wrapped: characters of a line, its break, and whether the last line has one."""

    line: int
    crlf: bool
    final: bool

    @property
    def width(self) -> int:
        """Octets of a full line with its break."""
        return self.line + (2 if self.crlf else 1)

    def encode(self, data: bytes, final: bool) -> bytes:
        """`data` in lines of base64."""
        text = binascii.b2a_base64(data, newline=False)
        separator = b"\r\n" if self.crlf else b"\n"
        joined = separator.join([text[start : start + self.line] for start in range(0, len(text), self.line)])
        return joined + separator if final else joined


def _batches(raw: Octets, start: int, end: int, wrapping: _Wrapping) -> Iterator[tuple[bytes, bool]]:
    """The lines of a part, many at once, each lot with whether it is the last."""
    step = max(_BATCH_OCTETS // wrapping.width, 1) * wrapping.width
    for position in range(start, end, step):
        yield raw[position : min(position + step, end)], position + step >= end


def _wrapping(raw: Octets, start: int, end: int) -> _Wrapping | None:
    """How the base64 in `raw[start:end]` is wrapped; None when wrapping it again would not give the same bytes."""
    first = raw.find(b"\n", start, min(end, start + _LINE_MOST + 2))
    if first < 0 and end - start > _LINE_MOST:
        return None
    crlf = first > start and raw[first - 1] == 13
    line = first - start - crlf if first >= 0 else end - start
    if line <= 0 or line % 4:
        return None
    found = _Wrapping(line, crlf, raw[end - 1 : end] == b"\n")
    for text, last in _batches(raw, start, end, found):
        try:
            data = binascii.a2b_base64(text)
        except binascii.Error:
            return None
        if found.encode(data, found.final or not last) != text:
            return None
    return found


def _slices(raw: Octets, start: int, end: int) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        for position in range(start, end, CHUNK_SIZE):
            yield raw[position : min(position + CHUNK_SIZE, end)]

    return pieces


def _decoded(raw: Octets, start: int, end: int, wrapping: _Wrapping) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        lots = (binascii.a2b_base64(text) for text, _ in _batches(raw, start, end, wrapping))
        for piece, _ in Rechunker(lots).pieces(CHUNK_SIZE):
            yield piece

    return pieces


def write_message(connection: apsw.Connection, codec: Codec, raw: Octets, parts: Sequence[Part]) -> bytes:
    """Store the bytes of a message; returns the recipe. Inside a transaction."""
    recipe: Recipe = []

    def stretch(start: int, end: int, kind: Kind = "body") -> None:
        if end > start:
            recipe.append(Segment(put_blob(connection, codec, _slices(raw, start, end), kind), end - start))

    position = parts[0].body_start
    stretch(0, position, "header")
    inner = {part.parent for part in parts}
    for index, part in enumerate(parts):
        start, end = part.body_start, part.body_end
        if index in inner or end - start < LARGE_PART or start < position:
            continue
        stretch(position, start)
        wrapping = _wrapping(raw, start, end) if part.encoding == "base64" else None
        if wrapping is None:
            stretch(start, end)
        else:
            blob = put_blob(connection, codec, _decoded(raw, start, end, wrapping))
            recipe.append(Segment(blob, end - start, wrapping.line, wrapping.crlf, wrapping.final))
        position = end
    stretch(position, len(raw))
    return _encode(recipe)


def release_message(connection: apsw.Connection, recipe: bytes) -> None:
    """Give back the blobs of a recipe. Inside a transaction."""
    for segment in decode_recipe(recipe):
        release_blob(connection, segment.blob)


def read_message(connection: apsw.Connection, codec: Codec, recipe: bytes, start: int, end: int) -> Iterator[bytes]:
    """The octets `start` to `end` of the message, in pieces. Raises MailboxDamagedError."""
    offset = 0
    for segment in decode_recipe(recipe):
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
    wrapping = _Wrapping(segment.line, segment.crlf, segment.final)
    width = wrapping.width
    octets = segment.line // 4 * 3
    size = int(select(connection, "SELECT size FROM blob WHERE id = ?", (segment.blob,))[0][0])
    batch = max(_BATCH_OCTETS // octets, 1)
    number = low // width
    position = number * width
    while position < high:
        data = b"".join(
            read_blob(connection, codec, segment.blob, number * octets, min((number + batch) * octets, size))
        )
        last = (number + batch) * octets >= size
        text = wrapping.encode(data, segment.final if last else True)
        yield text[max(low - position, 0) : high - position]
        number += batch
        position += len(text)
        if last:
            return


def read_messages(connection: apsw.Connection, codec: Codec, wanted: Sequence[tuple[bytes, int, int]]) -> list[bytes]:
    """The octets from `start` to `end` of many messages, given as (recipe, start, end), in order.

    Small blobs come in one query, so that a thousand small messages cost little more than one. Everything is in memory
    at once: ask for no more than a few megabytes. Raises MailboxDamagedError.
    """
    plans = [_plan(decode_recipe(recipe), start, end) for recipe, start, end in wanted]
    chunks = read_first_chunks(connection, codec, {blob for plan in plans if plan is not None for blob in plan[1]})
    found: list[bytes] = []
    for (recipe, start, end), plan in zip(wanted, plans, strict=True):
        if plan is None:
            found.append(b"".join(read_message(connection, codec, recipe, start, end)))
            continue
        offset, blobs = plan
        try:
            whole = b"".join([chunks[blob] for blob in blobs])
        except KeyError as error:
            raise MailboxDamagedError(detail=f"blob {error} is lost") from None
        found.append(whole[max(start - offset, 0) : max(end - offset, 0)])
    return found


def _plan(segments: Recipe, start: int, end: int) -> tuple[int, list[int]] | None:
    """The blobs that hold `start` to `end`, and the offset of the first; None when one is not a plain single chunk."""
    blobs: list[int] = []
    first = offset = 0
    for segment in segments:
        if offset < end and offset + segment.length > start:
            if segment.line or segment.length > CHUNK_SIZE:
                return None
            if not blobs:
                first = offset
            blobs.append(segment.blob)
        offset += segment.length
    return first, blobs
