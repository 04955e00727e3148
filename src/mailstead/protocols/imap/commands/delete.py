"""DELETE (RFC 9051 §6.3.5).

delete = "DELETE" SP mailbox
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Delete(msgspec.Struct, frozen=True):
    """A name."""

    name: str


def parse(cursor: Cursor) -> Delete:
    """delete"""
    cursor.space()
    return Delete(mailbox(cursor))


async def run(session: "Session", command: Delete) -> Ok:
    """Remove the mailbox; a session that has it selected leaves it."""
    folder = session.opened.folder(command.name)
    await session.run(session.opened.delete_folder, folder.name)
    if session.view is not None and session.view.folder.id == folder.id:
        session.unselect()
    return Ok()
