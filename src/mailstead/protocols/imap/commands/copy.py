"""COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8).

copy = "COPY" SP sequence-set SP mailbox;  move = "MOVE" SP sequence-set SP mailbox
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.grammar.sequence import SequenceSet, format_sequence, sequence_set
from mailstead.protocols.imap.responses import Ok, status
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.records import Folder

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Copy(msgspec.Struct, frozen=True):
    """Messages and where to; `move`: they leave the selected mailbox."""

    messages: SequenceSet
    target: str
    move: bool
    by_uid: bool


def parse(cursor: Cursor, *, move: bool = False, by_uid: bool = False) -> Copy:
    """copy / move"""
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    return Copy(messages, mailbox(cursor), move, by_uid)


def target_folder(session: "Session", name: str) -> Folder:
    """The folder that messages are to go to. Raises NoError with TRYCREATE (RFC 9051 §7.1)."""
    try:
        return session.opened.folder(name)
    except NoSuchFolderError:
        raise NoError("No such mailbox, create it first", "TRYCREATE") from None


async def run(session: "Session", command: Copy) -> Ok:
    """Copy or move all or none; COPYUID tells what became what."""
    view = session.writable if command.move else session.selected
    slices = view.slices(command.messages, by_uid=command.by_uid)
    target = target_folder(session, command.target)
    ranges = view.uid_ranges(slices)
    wanted = sum(high - low for low, high in slices)
    if command.move:
        copied = await session.run(view.mailbox.move, view.folder.id, ranges, target.id)
    else:
        copied = await session.run(view.mailbox.copy, view.folder.id, ranges, target.id, session.quota)
    if len(copied.pairs) < wanted and not command.by_uid and not copied.pairs:
        raise NoError("These messages are gone", "EXPUNGEISSUED")
    if not copied.pairs:
        return Ok("Nothing to do")
    sources, targets = (format_sequence(pair[side] for pair in copied.pairs) for side in (0, 1))
    code = b"COPYUID %d %b %b" % (copied.uidvalidity, sources, targets)
    if not command.move:
        return Ok("Copied", code)
    session.write(status("*", "OK", "Moved", code))  # before the messages are told to be gone (RFC 6851 §4.3)
    session.tell_changes(expunges=True)
    return Ok("Done", session.highestmodseq_code())
