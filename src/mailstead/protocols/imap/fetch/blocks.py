"""All response lines of a FETCH, in blocks: made one at a time, each when the one before has been taken.

What the view knows is answered from it, plain items are woven from rows, octets are read many messages at a time, and
large messages go in pieces. So neither a large folder nor a slow client costs memory, and no step takes long, but for
those that are announced as heavy.
"""

from collections.abc import Iterator, Sequence

import msgspec

from mailstead.formats.message.part import Part
from mailstead.protocols.imap.enabled import Enabled
from mailstead.protocols.imap.fetch.columns import PlainItems, Row, present
from mailstead.protocols.imap.fetch.sections import extent, is_stretch, is_whole, shown, value
from mailstead.protocols.imap.grammar.fetch import FetchItems, Section
from mailstead.protocols.imap.view import Slices, View
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.messages import decode_parts

BLOCK = 128 * 1024
_VIEW_MESSAGES = 4000
_MOST_MESSAGES = 2000
_CONTENT_MESSAGES = 200
_LARGE = 512 * 1024
_PIECE = 256 * 1024
_CONTENT = ("message_id", "size", "parts", "recipe")
_Extent = tuple[int, int] | None


class Block(msgspec.Struct):
    """Octets to send, of how many messages they finish; `heavy`: the next block takes long to make."""

    data: bytes
    messages: int = 0
    heavy: bool = False


class Changed(msgspec.Struct, frozen=True):
    """Flags that reading changed: the modseq by uid."""

    modseqs: dict[int, int]

    def item(self, view: View, place: int, items: FetchItems, enabled: Enabled) -> bytes:
        """What is told of it with a message, a blank before each item."""
        modseq = self.modseqs.get(view.uids[place]) if self.modseqs else None
        if modseq is None:
            return b""
        told = b""
        if "FLAGS" not in items.plain:
            told = b" FLAGS (%b)" % view.flags_text(place, recent=not enabled.rev2)
        if enabled.condstore and "MODSEQ" not in items.plain:
            told += b" MODSEQ (%d)" % modseq
        return told


def blocks(view: View, slices: Slices, items: FetchItems, changed: Changed, enabled: Enabled) -> Iterator[Block]:
    """The blocks. Raises NoError, MailboxDamagedError."""
    plain = PlainItems(items.plain, enabled)
    if items.sections:
        return _content_blocks(view, slices, items, plain, changed, enabled)
    return _row_blocks(view, slices, plain) if plain.needs_rows else _view_blocks(view, slices, plain)


def _view_blocks(view: View, slices: Slices, plain: PlainItems) -> Iterator[Block]:
    for low, high in slices:
        for start in range(low, high, _VIEW_MESSAGES):
            end = min(start + _VIEW_MESSAGES, high)
            yield Block(plain.lines(view, (), start, end), end - start)


def _row_blocks(view: View, slices: Slices, plain: PlainItems) -> Iterator[Block]:
    size = 100
    for low, high in slices:
        start = low
        while start < high:
            end = min(start + size, high)
            rows = view.mailbox.page(view.folder.id, view.uids[start], view.uids[end - 1], plain.columns)
            pieces = [plain.lines(view, *stretch) for stretch in present(view, rows, start, end)]
            data = b"".join(pieces)
            yield Block(data, len(rows))
            size = max(min(BLOCK * len(rows) // (len(data) or 1), _MOST_MESSAGES), 10)
            start = end


class _Message(msgspec.Struct):
    """One message to be sent: how its line begins, its content, and where its sections are."""

    start: bytes
    recipe: bytes
    parts: Sequence[Part]
    extents: list[_Extent]


def _content_blocks(
    view: View, slices: Slices, items: FetchItems, plain: PlainItems, changed: Changed, enabled: Enabled
) -> Iterator[Block]:
    columns = (*plain.columns, *_CONTENT)
    wholes = all(map(is_whole, items.sections))
    space = b" " if items.plain else b""
    waiting: list[_Message] = []
    held = 0
    for low, high in slices:
        for start in range(low, high, _CONTENT_MESSAGES):
            end = min(start + _CONTENT_MESSAGES, high)
            rows = view.mailbox.page(view.folder.id, view.uids[start], view.uids[end - 1], columns)
            for some, first, last in present(view, rows, start, end):
                plain_rows: list[Row] = [row[: -len(_CONTENT)] for row in some] if plain.needs_rows else []
                starts = plain.starts(view, plain_rows, first, last)
                for place, begin, (message_id, size, packed, recipe) in zip(
                    range(first, last), starts, (row[-len(_CONTENT) :] for row in some), strict=True
                ):
                    told = changed.item(view, place, items, enabled)
                    begin += (told if space else told[1:]) + b" " if told else space
                    parts: Sequence[Part] = () if wholes else decode_parts(packed)
                    extents: list[_Extent] = (
                        [(0, size)] * len(items.sections)
                        if wholes
                        else [extent(parts, section) for section in items.sections]
                    )
                    octets = sum(where[1] - where[0] for where in extents if where is not None)
                    if octets > _LARGE or held + octets > BLOCK:
                        if waiting:
                            yield Block(_together(view, items.sections, waiting), len(waiting), octets > _LARGE)
                            waiting, held = [], 0
                        elif octets > _LARGE:
                            yield Block(b"", 0, heavy=True)
                    if octets > _LARGE:
                        content = view.mailbox.content_of_row(message_id, size, packed, recipe)
                        yield from _large(begin, items.sections, parts, extents, content)
                        continue
                    waiting.append(_Message(begin, recipe, parts, extents))
                    held += octets + len(begin)
    if waiting:
        yield Block(_together(view, items.sections, waiting), len(waiting))


def _together(view: View, sections: tuple[Section, ...], messages: list[_Message]) -> bytes:
    """The lines of small messages, whose octets are read at once."""
    wanted = [
        (message.recipe, *where)
        for message in messages
        for where in message.extents
        if where is not None and where[0] < where[1]
    ]
    read = iter(view.mailbox.read_many(wanted))
    pieces: list[bytes] = []
    for message in messages:
        pieces.append(message.start)
        for number, (section, where) in enumerate(zip(sections, message.extents, strict=True)):
            data = None if where is None else next(read) if where[0] < where[1] else b""
            if number:
                pieces.append(b" ")
            pieces.append(shown(section, None if data is None else value(message.parts, section, data)))
        pieces.append(b")\r\n")
    return b"".join(pieces)


def _large(
    start: bytes, sections: tuple[Section, ...], parts: Sequence[Part], extents: list[_Extent], content: MessageContent
) -> Iterator[Block]:
    """One message's line in pieces. What must be made of its octets is made first: it may fail."""
    made = {
        number: value(parts, section, content.read(*where))
        for number, (section, where) in enumerate(zip(sections, extents, strict=True))
        if where is not None and not is_stretch(section)
    }
    yield Block(start, 0, heavy=True)
    for number, (section, where) in enumerate(zip(sections, extents, strict=True)):
        space = b" " if number else b""
        if where is None or number in made:
            yield Block(space + shown(section, made.get(number)), 0, heavy=True)
            continue
        yield Block(b"%b%b {%d}\r\n" % (space, section.label, where[1] - where[0]), 0, heavy=True)
        for offset in range(where[0], where[1], _PIECE):
            yield Block(content.read(offset, min(offset + _PIECE, where[1])), 0, heavy=True)
    yield Block(b")\r\n", 1)
