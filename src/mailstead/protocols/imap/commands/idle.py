"""IDLE (RFC 9051 §6.3.13): changes are told as they come, until DONE.

The bus only wakes; what is told is read from the database.
"""

import asyncio
from typing import TYPE_CHECKING

from mailstead.foundation.net.errors import ReadInterruptedError, ReadTimeoutError
from mailstead.protocols.imap.errors import ClosedError, CommandError
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_SEALED = b"0"  # another process wrote mail that only a session with the key can take in


class _Wake:
    """What came over the bus since the session last looked."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.changed = True
        self.sealed = False

    def note(self, _: str, payload: bytes) -> None:
        """An event of the mailbox."""
        self.sealed = self.sealed or payload == _SEALED
        self.missed()

    def missed(self) -> None:
        """Events may have been lost."""
        self.changed = True
        self._session.connection.interrupt()


async def run(session: "Session", _: None) -> Ok:
    """Tell changes until the client has had enough."""
    session.write(b"+ idling\r\n")
    wake = _Wake(session)
    subscription = await session.services.bus.subscribe(f"mailbox.{session.opened.id}", wake.note, on_gap=wake.missed)
    try:
        line = await _until_line(session, wake)
    finally:
        subscription.close()
    if line.upper() != b"DONE":
        raise CommandError("DONE is wanted")
    return Ok()


async def _until_line(session: "Session", wake: _Wake) -> bytes:
    clock = asyncio.get_running_loop().time
    deadline = clock() + session.patience
    while (line := session.reader.take_line()) is None:
        await session.attend()
        if wake.sealed:
            wake.sealed = False
            await session.run(session.opened.ingest)
        if wake.changed:
            wake.changed = False
            session.tell_changes(expunges=True)
            await session.flush()
            continue
        left = deadline - clock()
        if left <= 0:
            raise ReadTimeoutError
        try:
            data = await session.read(left)
        except ReadInterruptedError:
            continue
        if not data:
            raise ClosedError("Connection closed")
        session.reader.receive(data)
    return line
