"""SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1.8, §3.2.5; RFC 8474 §4.2).

select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]
select-param = "CONDSTORE" /
    "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP "(" sequence-set SP sequence-set ")"] ")"
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.responses import SYSTEM_FLAGS, Ok, status
from mailstead.protocols.imap.view import View

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Select(msgspec.Struct, frozen=True):
    """A name and parameters."""

    name: str
    read_only: bool


def parse(cursor: Cursor, *, read_only: bool = False) -> Select:
    """select / examine"""
    cursor.space()
    return Select(mailbox(cursor), read_only)


async def run(session: "Session", command: Select) -> Ok:
    """Open the mailbox and tell what it is; the one that was open is closed first, whatever happens then."""
    if session.view is not None:
        session.unselect()
        session.write(status("*", "OK", "The mailbox before is closed", b"CLOSED"))
    opened = session.opened
    folder = opened.folder(command.name)
    recent = opened.recent(folder.id) if command.read_only else await session.run(opened.take_recent, folder.id)
    view = View(opened, folder, await session.run(opened.snapshot, folder.id), read_only=command.read_only)
    view.add_recent(*recent)
    session.view = view
    _describe(session, view)
    code = b"READ-ONLY" if command.read_only else b"READ-WRITE"
    return Ok("Selected", code)


def _describe(session: "Session", view: View) -> None:
    flags = b" ".join([SYSTEM_FLAGS, *(keyword.encode() for keyword in view.used_keywords())])
    lines = [b"* FLAGS (%b)\r\n" % flags, b"* %d EXISTS\r\n" % len(view)]
    codes = []
    if not session.enabled.rev2:
        lines.append(b"* %d RECENT\r\n" % view.recent)
        if unseen := view.first_unseen():
            codes.append((b"UNSEEN %d" % unseen, "First unseen"))
    permanent = b"" if view.read_only else flags + b" \\*"
    codes += [
        (b"PERMANENTFLAGS (%b)" % permanent, "Flags that stay"),
        (b"UIDVALIDITY %d" % view.folder.uidvalidity, "Uids are valid"),
        (b"UIDNEXT %d" % view.uidnext, "Next uid"),
    ]
    session.write(b"".join([*lines, *(status("*", "OK", text, code) for code, text in codes)]))
