"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 7162 §3.1.5, RFC 9394).

search = "SEARCH" [SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"] SP
         ["CHARSET" SP charset SP] search-key *(SP search-key)
search-return-opt = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / "PARTIAL" SP partial-range
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.esearch import Returns, esearch, search_returns
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.search import Keys, Program
from mailstead.protocols.imap.grammar.sequence import to_ranges
from mailstead.protocols.imap.resolve import resolve
from mailstead.protocols.imap.responses import Ok
from mailstead.protocols.imap.view import View

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_CHARSETS = frozenset({"", "UTF-8", "US-ASCII"})


class Search(msgspec.Struct, frozen=True):
    """Keys and how to answer."""

    returns: Returns
    program: Program
    by_uid: bool


def parse(cursor: Cursor, *, by_uid: bool = False) -> Search:
    """search"""
    cursor.space()
    returns = search_returns(cursor)
    charset = ""
    if cursor.peek_word() == "CHARSET":
        if cursor.utf8_only:
            raise CommandError("No CHARSET where UTF8=ACCEPT is enabled")  # RFC 6855 §3
        cursor.word()
        cursor.space()
        charset = cursor.text_string()
        cursor.space()
    return Search(returns, Keys(cursor).program(charset), by_uid)


async def find(session: "Session", view: View, program: Program) -> list[int]:
    """The uids that match, of messages that the session knows, ascending. Raises NoError for an unknown charset."""
    if program.charset.upper() not in _CHARSETS:
        raise NoError("Charset not known", "BADCHARSET (UTF-8 US-ASCII)")
    if program.modseq:
        session.enable_condstore()
    criterion = resolve(program.key, view, session.services.clock.now(), uidonly=session.enabled.uidonly)
    return view.known(await session.run(view.mailbox.search, view.folder.id, criterion))


Order = Callable[[list[int]], Awaitable[list[int]]]


async def keep(
    session: "Session", view: View, returns: Returns, program: Program, order: Order | None = None
) -> list[int]:
    """The same, put in order, and kept for `$`; a search that fails leaves nothing there (RFC 9051 §6.4.4.1)."""
    try:
        uids = await find(session, view, program)
        if order is not None:
            uids = await order(uids)
    except CommandError:
        raise  # BAD changes nothing
    except MailsteadError:
        if returns.saves:
            view.saved = []
        raise
    if returns.saves:
        view.saved = to_ranges(sorted(returns.kept(uids)))
    return uids


async def run(session: "Session", command: Search) -> Ok:
    """Find messages that the session knows of."""
    view, returns = session.selected, command.returns
    if not returns.options and returns.partial is None and session.enabled.rev2:
        returns = _ALL
    uids = await keep(session, view, returns, command.program)
    numbers = uids if command.by_uid else view.numbers_of(uids)
    modseq = 0
    if command.program.modseq and uids and not returns.is_silent:
        modseq = await session.run(view.mailbox.highest_of, view.folder.id, _told(returns, uids))
    if not returns.options and returns.partial is None:
        tail = b" (MODSEQ %d)" % modseq if modseq else b""
        session.write(b"* SEARCH%b%b\r\n" % (b"".join([b" %d" % number for number in numbers]), tail))
    elif not returns.is_silent:
        session.write(esearch(session.tag, returns, numbers, by_uid=command.by_uid, modseq=modseq))
    return Ok()


_ALL = Returns(frozenset({"ALL"}))


def _told(returns: Returns, uids: Sequence[int]) -> Sequence[int]:
    """The messages whose highest modseq is told: all, or MIN and MAX alone (RFC 7162 §3.1.10)."""
    if not returns.options & {"MIN", "MAX"} or returns.options & {"ALL", "COUNT"}:
        return uids
    ends = {"MIN": uids[0], "MAX": uids[-1]}
    return sorted({uid for option, uid in ends.items() if option in returns.options})
