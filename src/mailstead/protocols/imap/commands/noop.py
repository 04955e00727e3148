"""NOOP and CHECK: what changed is told with every command's end (RFC 9051 §6.1.2, RFC 3501 §6.4.1)."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(_: "Session", __: None) -> Ok:
    """Nothing more."""
    return Ok()
