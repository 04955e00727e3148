"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).

expunge = "EXPUNGE";  uid-expunge = "UID" SP "EXPUNGE" SP sequence-set
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.sequence import SequenceSet, sequence_set
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Expunge(msgspec.Struct, frozen=True):
    """Uids."""

    uids: SequenceSet


def parse(cursor: Cursor) -> Expunge:
    """uid-expunge"""
    cursor.space()
    return Expunge(sequence_set(cursor))


async def run(session: "Session", command: Expunge | None) -> Ok:
    r"""Remove what has \Deleted for good: all of it, or of the given uids."""
    view = session.writable
    slices = [(0, len(view))] if command is None else view.slices(command.uids, by_uid=True)
    await session.run(view.mailbox.expunge, view.folder.id, view.uid_ranges(slices))
    session.tell_changes(expunges=True)
    return Ok("Done", session.highestmodseq_code())
