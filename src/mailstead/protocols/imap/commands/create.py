"""CREATE (RFC 9051 §6.3.4, RFC 6154 §3, RFC 8474 §4.1).

create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_USES = {use.lower(): use for use in ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Snoozed", "\\Trash")}


class Create(msgspec.Struct, frozen=True):
    """A name and what the mailbox is for."""

    name: str
    uses: tuple[str, ...] = ()


def parse(cursor: Cursor) -> Create:
    """create"""
    cursor.space()
    name = mailbox(cursor)
    if not cursor.take(b" "):
        return Create(name)
    cursor.expect(b"(")
    if cursor.word() != "USE":
        raise CommandError("CREATE parameter not known")
    cursor.space()
    cursor.expect(b"(")
    uses: list[str] = []
    while not cursor.take(b")"):
        if uses:
            cursor.space()
        cursor.expect(b"\\")
        uses.append("\\" + cursor.atom().decode())
    cursor.expect(b")")
    return Create(name, tuple(uses))


async def run(session: "Session", command: Create) -> Ok:
    """Make the mailbox, and those above it that lack."""
    use = _use(session, command.uses) if command.uses else ""
    folder = await session.run(session.opened.create_folder, command.name, use)
    return Ok("Done", b"MAILBOXID (%b)" % folder.object_id.encode())


def _use(session: "Session", uses: tuple[str, ...]) -> str:
    """The use in its common spelling. Raises NoError with USEATTR (RFC 6154 §3, RFC 8474 §4.1)."""
    use = _USES.get(uses[0].lower())
    if use is None or len(uses) > 1:
        raise NoError("A mailbox cannot be used for that", "USEATTR")
    if any(folder.special_use == use for folder in session.opened.folders()):
        raise NoError("Another mailbox is used for that", "USEATTR")
    return use
