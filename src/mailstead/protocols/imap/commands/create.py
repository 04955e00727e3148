"""CREATE (RFC 9051 §6.3.4, RFC 6154 §3).

create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Create(msgspec.Struct, frozen=True):
    """A name."""

    name: str


def parse(cursor: Cursor) -> Create:
    """create"""
    cursor.space()
    return Create(mailbox(cursor))


async def run(session: "Session", command: Create) -> Ok:
    """Make the mailbox, and those above it that lack."""
    await session.run(session.opened.create_folder, command.name)
    return Ok()
