"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 7162 §3.1.5).

search = "SEARCH" [SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"] SP
         ["CHARSET" SP charset SP] search-key *(SP search-key)
search-return-opt = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE"
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.search import Keys, Program
from mailstead.protocols.imap.resolve import resolve
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

CHARSETS = frozenset({"UTF-8", "US-ASCII"})


class Search(msgspec.Struct, frozen=True):
    """Keys and how to answer."""

    program: Program
    by_uid: bool


def charset(cursor: Cursor) -> None:
    """["CHARSET" SP charset SP]. Raises NoError for one that is not known."""
    if cursor.peek_word() == "CHARSET":
        cursor.word()
        cursor.space()
        check_charset(cursor.text_string())
        cursor.space()


def check_charset(name: str) -> None:
    """Raises NoError with the charsets that are known."""
    if name.upper() not in CHARSETS:
        raise NoError("Charset not known", "BADCHARSET (UTF-8 US-ASCII)")


def parse(cursor: Cursor, *, by_uid: bool = False) -> Search:
    """search"""
    cursor.space()
    charset(cursor)
    return Search(Keys(cursor).program(), by_uid)


async def run(session: "Session", command: Search) -> Ok:
    """Find messages that the session knows of."""
    view = session.selected
    criterion = resolve(command.program.key, view, session.services.clock.now())
    uids = await session.run(view.mailbox.search, view.folder.id, criterion)
    numbers = view.known(uids) if command.by_uid else view.numbers_of(uids)
    session.write(b"* SEARCH%b\r\n" % b"".join([b" %d" % number for number in numbers]))
    return Ok()
