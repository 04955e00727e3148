"""SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1.8, §3.2.5; RFC 8474 §4.2).

select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]
select-param = "CONDSTORE" /
    "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP "(" sequence-set SP sequence-set ")"] ")"
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.commands.listing import Listing, Names, list_line
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.grammar.sequence import SequenceSet, sequence_set
from mailstead.protocols.imap.responses import SYSTEM_FLAGS, Ok, status, vanished
from mailstead.protocols.imap.resynchronize import KnownState, missed
from mailstead.protocols.imap.view import View

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_LISTED = Listing("", ("",), extended=True)


class Select(msgspec.Struct, frozen=True):
    """A name and parameters."""

    name: str
    read_only: bool
    condstore: bool = False
    known: KnownState | None = None


def parse(cursor: Cursor, *, read_only: bool = False) -> Select:
    """select / examine"""
    cursor.space()
    name = mailbox(cursor)
    condstore, known = False, None
    if cursor.take(b" "):
        cursor.expect(b"(")
        first = True
        while not cursor.take(b")"):
            if not first:
                cursor.space()
            first = False
            match cursor.word():
                case "CONDSTORE":
                    condstore = True
                case "QRESYNC":
                    cursor.space()
                    known = _known(cursor)
                case _:
                    raise CommandError("SELECT parameter not known")
    return Select(name, read_only, condstore, known)


def _known(cursor: Cursor) -> KnownState:
    """ "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" """
    cursor.expect(b"(")
    uidvalidity = cursor.number(least=1)
    cursor.space()
    modseq = cursor.number64(1)
    uids, matches = None, None
    if cursor.is_at(b" ") and not cursor.is_at(b" ("):
        cursor.space()
        uids = _known_set(cursor)
    if cursor.take(b" "):
        cursor.expect(b"(")
        numbers = _known_set(cursor)
        cursor.space()
        matches = (numbers, _known_set(cursor))
        cursor.expect(b")")
    cursor.expect(b")")
    return KnownState(uidvalidity, modseq, uids, matches)


def _known_set(cursor: Cursor) -> SequenceSet:
    """known-uids, known-sequence-set: a sequence-set without `*` and `$`"""
    found = sequence_set(cursor)
    if found.saved or any(0 in pair for pair in found.pairs):
        raise CommandError("Only numbers are known")
    return found


async def run(session: "Session", command: Select) -> Ok:
    """Open the mailbox and tell what it is; the one that was open is closed first, whatever happens then."""
    if command.known is not None and not session.enabled.qresync:
        raise CommandError("QRESYNC is not enabled")
    if command.known is not None and command.known.matches is not None and session.enabled.uidonly:
        raise CommandError("Messages are named by uid only", "UIDREQUIRED")
    if session.view is not None:
        session.unselect()
        session.write(status("*", "OK", "The mailbox before is closed", b"CLOSED"))
    if command.condstore:
        session.enable_condstore()
    opened = session.opened
    folder = opened.folder(command.name)
    run = session.run_short if opened.has_snapshot(folder.id) else session.run
    view = View(opened, folder, await run(opened.snapshot, folder.id), read_only=command.read_only)
    if not session.enabled.rev2:
        tell = opened.recent if command.read_only else opened.take_recent
        view.add_recent(*await session.run_write(tell, folder.id))
    session.view = view
    _describe(session, view)
    if command.known is not None and command.known.uidvalidity == folder.uidvalidity:
        gone, changed = await session.run(missed, view, command.known)
        if gone:
            session.write(vanished(gone, earlier=True))
        fetches = [view.fetch_flags(view.index(uid), modseq, session.enabled) for uid, _, _, modseq in changed]
        session.write(b"".join(fetches))
    code = b"READ-ONLY" if command.read_only else b"READ-WRITE"
    return Ok("Selected", code)


def _describe(session: "Session", view: View) -> None:
    flags = b" ".join([SYSTEM_FLAGS, *(keyword.encode() for keyword in view.used_keywords())])
    lines = [b"* FLAGS (%b)\r\n" % flags, b"* %d EXISTS\r\n" % len(view)]
    codes = []
    if not session.enabled.rev2:
        lines.append(b"* %d RECENT\r\n" % view.recent)
        if (unseen := view.first_unseen()) and not session.enabled.uidonly:
            codes.append((b"UNSEEN %d" % unseen, "First unseen"))
    permanent = b"" if view.read_only else flags + b" \\*"
    codes += [
        (b"PERMANENTFLAGS (%b)" % permanent, "Flags that stay"),
        (b"UIDVALIDITY %d" % view.folder.uidvalidity, "Uids are valid"),
        (b"UIDNEXT %d" % view.uidnext, "Next uid"),
        (b"HIGHESTMODSEQ %d" % view.modseq, "Highest"),
        (b"MAILBOXID (%b)" % view.folder.object_id.encode(), "Mailbox"),
    ]
    if session.enabled.rev2:  # RFC 9051 §6.3.2
        names = Names(session.opened.folders(), session.opened.subscriptions())
        lines.append(list_line(session, names, view.folder.name, _LISTED, []))
    session.write(b"".join([*lines, *(status("*", "OK", text, code) for code, text in codes)]))
