"""SORT and UID SORT (RFC 5256 §3, RFC 5267 §3, RFC 5957).

sort = "SORT" [SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"] SP sort-criteria SP search-criteria
sort-criteria = "(" sort-criterion *(SP sort-criterion) ")";  sort-criterion = ["REVERSE" SP] sort-key
sort-key = "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" / "SUBJECT" / "TO" / "DISPLAYFROM" / "DISPLAYTO"
search-criteria = charset 1*(SP search-key)
"""

from typing import TYPE_CHECKING, get_args

import msgspec

from mailstead.protocols.imap.commands.search import keep
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.esearch import Returns, esearch, search_returns
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.search import Keys, Program
from mailstead.protocols.imap.responses import Ok
from mailstead.stores.mailbox.search.order import Name, SortKey

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_NAMES: dict[str, Name] = {name: name for name in get_args(Name)}
_KEYS_LIMIT = 20


class Sort(msgspec.Struct, frozen=True):
    """What to find, in what order, and how to answer."""

    returns: Returns
    keys: tuple[SortKey, ...]
    program: Program
    by_uid: bool


def parse(cursor: Cursor, *, by_uid: bool = False) -> Sort:
    """sort"""
    cursor.space()
    returns = search_returns(cursor)
    cursor.expect(b"(")
    keys: list[SortKey] = []
    while not cursor.take(b")"):
        if keys:
            cursor.space()
        word = cursor.word()
        reverse = word == "REVERSE"
        if reverse:
            cursor.space()
            word = cursor.word()
        if word not in _NAMES or len(keys) >= _KEYS_LIMIT:
            raise CommandError("Sort key not known")
        keys.append(SortKey(_NAMES[word], reverse))
    if not keys:
        raise CommandError("A sort key is wanted")
    cursor.space()
    charset = cursor.text_string()
    cursor.space()
    return Sort(returns, tuple(keys), Keys(cursor).program(charset), by_uid)


async def run(session: "Session", command: Sort) -> Ok:
    """Find messages and tell them in order."""
    view, returns = session.selected, command.returns

    async def order(found: list[int]) -> list[int]:
        return await session.run(view.mailbox.in_order, view.folder.id, found, command.keys)

    uids = await keep(session, view, returns, command.program, order)
    numbers = uids if command.by_uid else [place + 1 for uid in uids if (place := view.index(uid)) >= 0]
    if not returns.options and returns.partial is None:
        session.write(b"* SORT%b\r\n" % b"".join([b" %d" % number for number in numbers]))
    elif not returns.is_silent:
        session.write(esearch(session.tag, returns, numbers, by_uid=command.by_uid))
    return Ok()
