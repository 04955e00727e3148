"""FETCH and UID FETCH (RFC 9051 §6.4.5).

What the view knows is answered from it, plain items are joined from rows, octets are read last; all in blocks, each
sent before the next is made, so that neither a large folder nor a slow client costs memory.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.fetch.columns import FROM_VIEW, PlainItems, view_lines
from mailstead.protocols.imap.fetch.sections import computed, extent, is_stretch, shown
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.fetch import FetchItems, FetchModifiers, Section, fetch_items, fetch_modifiers
from mailstead.protocols.imap.grammar.sequence import (
    PartialRange,
    SequenceSet,
    sequence_set,
    to_ranges,
)
from mailstead.protocols.imap.responses import Ok, vanished
from mailstead.protocols.imap.resynchronize import gone_since
from mailstead.protocols.imap.view import Slices, View
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import MessageContent

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_BLOCK = 128 * 1024  # octets of responses made at once
_VIEW_MESSAGES = 2000
_FIRST_MESSAGES = 100
_MOST_MESSAGES = 2000
_CONTENT_MESSAGES = 50
_PIECE = 256 * 1024
_CONTENT_COLUMNS = ("message_id", "size", "parts", "recipe")


class Fetch(msgspec.Struct, frozen=True):
    """Messages and items."""

    messages: SequenceSet
    items: FetchItems
    modifiers: FetchModifiers
    by_uid: bool


def parse(cursor: Cursor, *, by_uid: bool = False) -> Fetch:
    """fetch"""
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    items = fetch_items(cursor)
    modifiers = fetch_modifiers(cursor) if cursor.take(b" ") else FetchModifiers()
    if (modifiers.vanished or modifiers.partial) and not by_uid:
        raise CommandError("This modifier is of UID FETCH")
    if modifiers.vanished and modifiers.changed_since is None:
        raise CommandError("VANISHED goes with CHANGEDSINCE")
    plain = dict.fromkeys(items.plain)
    if by_uid:
        plain["UID"] = None
    if modifiers.changed_since is not None:
        plain["MODSEQ"] = None
    return Fetch(messages, FetchItems(tuple(plain), items.sections), modifiers, by_uid)


async def run(session: "Session", command: Fetch) -> Ok:
    """Send what is asked for."""
    session.tell_changes(expunges=False)
    view = session.selected
    if "MODSEQ" in command.items.plain:
        session.enable_condstore()
    slices = view.slices(command.messages, by_uid=command.by_uid)
    if command.modifiers.partial is not None:
        slices = _part(slices, command.modifiers.partial)
    if command.modifiers.changed_since is not None:
        slices = await _changed(session, view, command, slices)
    changed = await _mark_seen(session, view, slices) if command.items.sets_seen else {}
    found = 0
    async for count, block in _blocks(session, view, slices, command.items, changed):
        found += count
        session.write(block)
        await session.flush()
    if found < sum(high - low for low, high in slices) and not command.by_uid:
        raise NoError("Some of these messages are gone", "EXPUNGEISSUED")
    return Ok()


def _part(slices: Slices, partial: PartialRange) -> Slices:
    """The wanted part of the messages, counted among those that there are (RFC 9394 §3.3)."""
    left, end = partial.slice(sum(high - low for low, high in slices))
    found: Slices = []
    passed = 0
    for low, high in slices:
        first, last = max(left - passed, 0), min(end - passed, high - low)
        if first < last:
            found.append((low + first, low + last))
        passed += high - low
    return found


async def _changed(session: "Session", view: View, command: Fetch, slices: Slices) -> Slices:
    """Those that changed since; those that went are told where that was asked for (RFC 7162 §3.2.6)."""
    since = command.modifiers.changed_since or 0
    if command.modifiers.vanished:
        if not session.enabled.qresync:
            raise CommandError("VANISHED wants QRESYNC enabled")
        wanted = view.saved if command.messages.saved else command.messages.resolve(max(view.uidnext - 1, 1))
        gone = await session.run(gone_since, view, since, wanted)
        if gone:
            session.write(vanished(gone, earlier=True))
    changes = await session.run(view.mailbox.changes, view.folder.id, since)
    return view.intersect(slices, view.uid_slices(to_ranges(entry[0] for entry in changes.entries)))


async def _mark_seen(session: "Session", view: View, slices: Slices) -> dict[int, int]:
    r"""Set \Seen where it lacks; the modseqs of the uids whose flags changed."""
    if view.read_only or view.all_seen(slices):
        return {}
    unseen = [(low, high) for low, high in slices if not view.all_seen([(low, high)])]
    stored = await session.run(view.mailbox.store, view.folder.id, view.uid_ranges(unseen), "add", Flag.SEEN)
    changed = {uid: modseq for uid, bits, _, modseq in stored.changed if view.flags_of(uid) != bits}
    view.apply(stored.changed)
    return changed


def _chunks(slices: Slices, size: int) -> Iterator[tuple[int, int]]:
    for low, high in slices:
        for start in range(low, high, size):
            yield start, min(start + size, high)


async def _blocks(
    session: "Session", view: View, slices: Slices, items: FetchItems, changed: dict[int, int]
) -> AsyncIterator[tuple[int, bytes]]:
    """Blocks of response lines, with how many messages each is of."""
    recent = not session.enabled.rev2
    if items.sections:
        async for found in _content_blocks(session, view, slices, items, changed):
            yield found
    elif FROM_VIEW.issuperset(items.plain):
        for low, high in _chunks(slices, _VIEW_MESSAGES):
            yield high - low, b"".join(view_lines(view, items.plain, low, high, recent=recent))
            await asyncio.sleep(0)
    else:
        plain = PlainItems(items.plain, recent=recent)
        async for found in _row_blocks(view, slices, plain):
            yield found


async def _row_blocks(view: View, slices: Slices, plain: PlainItems) -> AsyncIterator[tuple[int, bytes]]:
    size = _FIRST_MESSAGES
    for low, high in slices:
        start = low
        while start < high:
            end = min(start + size, high)
            rows = view.mailbox.page(view.folder.id, view.uids[start], view.uids[end - 1], plain.columns)
            lines = plain.lines(view, rows, start, end)
            block = b"".join(lines)
            yield len(lines), block
            size = max(min(_BLOCK * len(lines) // (len(block) or 1), _MOST_MESSAGES), 10)
            start = end
            await asyncio.sleep(0)


async def _content_blocks(
    session: "Session", view: View, slices: Slices, items: FetchItems, changed: dict[int, int]
) -> AsyncIterator[tuple[int, bytes]]:
    plain = PlainItems(items.plain, recent=not session.enabled.rev2)
    columns = [*plain.columns, *_CONTENT_COLUMNS]
    for low, high in _chunks(slices, _CONTENT_MESSAGES):
        rows = view.mailbox.page(view.folder.id, view.uids[low], view.uids[high - 1], columns)
        for row in rows:
            place = view.index(row[0])
            if place < 0:
                continue
            content = view.mailbox.content_of_row(*row[plain.width :])
            pieces = [plain.template % plain.values(view, row, place)] if plain.template else []
            modseq = changed.get(row[0])
            if modseq is not None and "FLAGS" not in items.plain:
                pieces.append(b"FLAGS (%b)" % view.flags_text(place, recent=not session.enabled.rev2))
            if modseq is not None and session.enabled.condstore and "MODSEQ" not in items.plain:
                pieces.append(b"MODSEQ (%d)" % modseq)
            async for block in _message(session, place + 1, pieces, items.sections, content):
                yield 0, block
            yield 1, b""


async def _message(
    session: "Session", number: int, pieces: list[bytes], sections: tuple[Section, ...], content: MessageContent
) -> AsyncIterator[bytes]:
    """One message's response; what is large goes in pieces, each read on a thread."""
    line = b"* %d FETCH (%b" % (number, b" ".join(pieces))
    parts = content.parts
    space = b" " if pieces else b""
    for section in sections:
        if not is_stretch(section):
            data: Any = await session.run(computed, parts, section, content.read)
            line += space + shown(section.label, data, binary=section.content == "decoded")
        elif (place := extent(parts, section)) is None:
            line += space + shown(section.label, None, binary=False)
        else:
            line += b"%b%b {%d}\r\n" % (space, section.label, place[1] - place[0])
            if place[1] - place[0] <= _PIECE:
                line += content.read(*place)
            else:
                yield line
                line = b""
                for start in range(place[0], place[1], _PIECE):
                    yield await session.run(content.read, start, min(start + _PIECE, place[1]))
        space = b" "
    yield line + b")\r\n"
