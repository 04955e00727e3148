"""RENAME (RFC 9051 §6.3.6).

rename = "RENAME" SP mailbox SP mailbox
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Rename(msgspec.Struct, frozen=True):
    """Two names."""

    old: str
    new: str


def parse(cursor: Cursor) -> Rename:
    """rename"""
    cursor.space()
    old = mailbox(cursor)
    cursor.space()
    return Rename(old, mailbox(cursor))


async def run(session: "Session", command: Rename) -> Ok:
    """Rename the mailbox and those below; INBOX gives its messages away and stays."""
    await session.run(session.opened.rename_folder, command.old, command.new)
    return Ok()
