"""CAPABILITY (RFC 9051 §6.1.1)."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.capabilities import capabilities
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> Ok:
    """Tell what is offered now."""
    session.write(f"* CAPABILITY {capabilities(session)}\r\n".encode())
    return Ok()
