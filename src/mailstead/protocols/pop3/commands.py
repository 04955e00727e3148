"""All commands in one table: in which states, with how many arguments, by what.

    greeting            PASS | AUTH               QUIT
-----------> AUTHORIZATION -----------> TRANSACTION -----------> UPDATE -----> closed
                  | QUIT, timeout, lost connection   | timeout, lost connection
                  +----------------------------------+---------------------------> closed, nothing removed
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from mailstead.protocols.pop3 import authorization, capabilities, transaction

if TYPE_CHECKING:
    from mailstead.protocols.pop3.session import Session

State = Literal["AUTHORIZATION", "TRANSACTION", "UPDATE"]
_BEFORE: frozenset[State] = frozenset({"AUTHORIZATION"})
_AFTER: frozenset[State] = frozenset({"TRANSACTION"})
_BOTH = _BEFORE | _AFTER


class Command(msgspec.Struct, frozen=True):
    """One command: the states it is taken in, its least and most arguments, and what carries it out.

    `rest`: the last argument goes to the end of the line, blanks included.
    """

    states: frozenset[State]
    least: int
    most: int
    run: "Callable[[Session, list[str]], Awaitable[None]]"
    rest: bool = False


async def _quit(session: "Session", _: list[str]) -> None:
    await session.quit()


COMMANDS: dict[str, Command] = {
    "CAPA": Command(_BOTH, 0, 0, capabilities.capa),
    "LANG": Command(_BOTH, 0, 1, capabilities.lang),
    "QUIT": Command(_BOTH, 0, 0, _quit),
    "USER": Command(_BEFORE, 1, 1, authorization.user, rest=True),
    "PASS": Command(_BEFORE, 1, 1, authorization.password, rest=True),
    "AUTH": Command(_BEFORE, 0, 2, authorization.auth),
    "STLS": Command(_BEFORE, 0, 0, authorization.stls),
    "UTF8": Command(_BEFORE, 0, 0, authorization.utf8),
    "STAT": Command(_AFTER, 0, 0, transaction.stat),
    "LIST": Command(_AFTER, 0, 1, transaction.listing),
    "UIDL": Command(_AFTER, 0, 1, transaction.uidl),
    "RETR": Command(_AFTER, 1, 1, transaction.retr),
    "TOP": Command(_AFTER, 2, 2, transaction.top),
    "DELE": Command(_AFTER, 1, 1, transaction.dele),
    "RSET": Command(_AFTER, 0, 0, transaction.rset),
    "NOOP": Command(_AFTER, 0, 0, transaction.noop),
    "LAST": Command(_AFTER, 0, 0, transaction.last),
}


def split_line(text: str) -> tuple[str, str]:
    """The keyword in capitals and the rest of the line."""
    keyword, _, rest = text.partition(" ")
    return keyword.upper(), rest


def arguments_of(command: Command, rest: str) -> list[str] | None:
    """The arguments; None when their number is wrong. Blanks at the end of the line are passed over."""
    if command.rest:
        return [rest] if rest else None
    words = rest.split()
    return words if command.least <= len(words) <= command.most else None
