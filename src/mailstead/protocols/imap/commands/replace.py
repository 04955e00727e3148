"""REPLACE and UID REPLACE (RFC 8508).

replace = "REPLACE" SP seq-number SP mailbox append-message;  uid-replace = "UID REPLACE" SP uniqueid SP mailbox append-message
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.commands.append import Message, message, new_message
from mailstead.protocols.imap.commands.copy import target_folder
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.grammar.sequence import SequenceSet, sequence_set
from mailstead.protocols.imap.responses import Ok, status

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Replace(msgspec.Struct, frozen=True):
    """A message, where the new one is to be, and the new one."""

    old: SequenceSet
    name: str
    message: Message
    by_uid: bool


def parse(cursor: Cursor, *, by_uid: bool = False) -> Replace:
    """replace"""
    cursor.space()
    old = sequence_set(cursor)
    if not old.saved and (len(old.pairs) != 1 or old.pairs[0][0] != old.pairs[0][1]):
        raise CommandError("One message is wanted")
    cursor.space()
    name = mailbox(cursor)
    cursor.space()
    return Replace(old, name, message(cursor), by_uid)


async def run(session: "Session", command: Replace) -> Ok:
    """Put the new message in and take the old one out, in one step."""
    view = session.writable
    uids = list(view.uids_of(view.slices(command.old, by_uid=command.by_uid)))
    if len(uids) != 1:
        raise NoError("No such message", "NONEXISTENT")
    target = target_folder(session, command.name)
    new = new_message(session, command.message)
    appended = await session.run(view.mailbox.replace, view.folder.id, uids[0], target.id, new, session.quota)
    if appended is None:
        raise NoError("The message is gone", "EXPUNGEISSUED")
    session.write(status("*", "OK", "Replaced", b"APPENDUID %d %d" % (appended.uidvalidity, appended.uid)))
    session.tell_changes(expunges=True)
    return Ok("Done", session.highestmodseq_code())
