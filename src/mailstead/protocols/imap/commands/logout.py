"""LOGOUT (RFC 9051 §6.1.3)."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.responses import Ok, status

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> None:
    """BYE, then the tagged OK, then the end."""
    session.write(status("*", "BYE", "Until next time") + status(session.tag, "OK", Ok().text))
    session.over = True
