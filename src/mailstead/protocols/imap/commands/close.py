"""CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2)."""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


async def run(session: "Session", _: None) -> Ok:
    r"""Remove what has \Deleted, tell nothing of it, leave."""
    view = session.selected
    if not view.read_only:
        await session.run(view.mailbox.expunge, view.folder.id, view.uid_ranges([(0, len(view))]))
    code = b""
    if session.enabled.qresync:  # RFC 7162 §3.2.8
        view.update(session.enabled, expunges=True)
        code = session.highestmodseq_code()
    session.unselect()
    return Ok("Done", code)


async def run_unselect(session: "Session", _: None) -> Ok:
    """Leave without removing anything."""
    session.unselect()
    return Ok()
