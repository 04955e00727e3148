"""FETCH and UID FETCH (RFC 9051 §6.4.5): the grammar is in grammar/fetch.py, the data in fetch/."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.errors import DisconnectedError
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.fetch.blocks import Block, Changed, blocks
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.fetch import FetchItems, FetchModifiers, fetch_items, fetch_modifiers
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

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

log = structlog.get_logger("mailstead.imap")
_SMALL = 32 * 1024


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
    plain = dict.fromkeys((*(("UID",) if by_uid else ()), *items.plain))
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
    items = command.items
    if session.enabled.uidonly and len(items.plain) + len(items.sections) > 1:  # each response begins with the uid
        items = FetchItems(tuple(item for item in items.plain if item != "UID"), items.sections)
    made = blocks(view, slices, items, Changed(changed), session.enabled)
    found = await _send(session, made)
    if found < sum(high - low for low, high in slices) and not command.by_uid:
        raise NoError("Some of these messages are gone", "EXPUNGEISSUED")
    return Ok()


async def _send(session: "Session", made: Iterator[Block]) -> int:
    """Send all blocks, others getting their turn between them; of how many messages they were."""
    found, heavy = 0, False
    while True:
        try:
            block = await (session.run if heavy else session.run_short)(next, made, None)
        except MailsteadError as error:
            if heavy:  # in the midst of a message: nothing that could be said now would be understood
                log.error("message cannot be sent to its end", connection=session.connection.id, why=str(error))
                session.connection.abort()
                raise DisconnectedError from error
            raise
        if block is None:
            return found
        session.write(block.data)
        found += block.messages
        heavy = block.heavy
        if len(block.data) > _SMALL:
            await session.flush()
            await asyncio.sleep(0)


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
    view.apply(stored)
    return changed
