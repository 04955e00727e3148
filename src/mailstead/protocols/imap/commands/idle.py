"""IDLE (RFC 9051 §6.3.13): changes are told as they come, until DONE.

The bus only wakes; what is told is read from the database.
"""

import asyncio
from typing import TYPE_CHECKING

from mailstead.protocols.imap.errors import ClosedError, CommandError
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> Ok:
    """Tell changes until the client has had enough."""
    session.write(b"+ idling\r\n")
    subscription = await session.services.bus.subscribe(
        f"mailbox.{session.opened.id}", lambda _, __: session.changed.set(), on_gap=session.changed.set
    )
    line = asyncio.ensure_future(_line(session))
    try:
        while not line.done():
            session.changed.clear()
            session.tell_changes(expunges=True)
            waiting = asyncio.ensure_future(session.changed.wait())
            await asyncio.wait({line, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        if line.result().upper() != b"DONE":
            raise CommandError("DONE is wanted")
    finally:
        subscription.close()
        if not line.done():
            line.cancel()
    return Ok()


async def _line(session: "Session") -> bytes:
    while (line := session.reader.take_line()) is None:
        data = await session.connection.read(session.patience)
        if not data:
            raise ClosedError("Connection closed")
        session.reader.receive(data)
    return line
