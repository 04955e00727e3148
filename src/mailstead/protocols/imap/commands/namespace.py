"""NAMESPACE (RFC 9051 §6.3.10): one personal namespace without prefix."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> Ok:
    """The namespaces."""
    session.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return Ok()
