"""STARTTLS (RFC 9051 §6.2.1)."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.errors import ClosedError, CommandError
from mailstead.protocols.imap.responses import status

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> None:
    """Answer and shake hands; bytes that came before the handshake end the session and are never obeyed."""
    connection = session.connection
    if not session.may_start_tls:
        raise CommandError("TLS is not offered")
    if session.reader.has_input() or connection.has_buffered_input():
        raise ClosedError("Commands after STARTTLS must wait for the handshake")
    session.write(status(session.tag, "OK", "Begin TLS"))
    await connection.start_tls()
