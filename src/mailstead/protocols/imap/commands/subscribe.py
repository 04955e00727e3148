"""SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8).

subscribe = "SUBSCRIBE" SP mailbox;  unsubscribe = "UNSUBSCRIBE" SP mailbox
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Subscribe(msgspec.Struct, frozen=True):
    """A name, and whether to subscribe to it."""

    name: str
    on: bool


def parse(cursor: Cursor, *, on: bool = True) -> Subscribe:
    """subscribe / unsubscribe"""
    cursor.space()
    return Subscribe(mailbox(cursor), on)


async def run(session: "Session", command: Subscribe) -> Ok:
    """Note it; the mailbox need not exist."""
    await session.run(session.opened.subscribe, command.name, command.on)
    return Ok()
