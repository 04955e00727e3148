"""All commands in one table: in which states, with which arguments, by what.

    greeting                      AUTHENTICATE
-----------> NOT AUTHENTICATED ------------------> AUTHENTICATED ----+ LOGOUT, timeout,
                  ^   | STARTTLS         UNAUTHENTICATE |            | lost connection
                  +---+  <------------------------------+            +-----------------> closed
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from mailstead.protocols.managesieve import authentication, scripts
from mailstead.protocols.managesieve.parser import Argument
from mailstead.protocols.managesieve.responses import ok, string

if TYPE_CHECKING:
    from mailstead.protocols.managesieve.session import Session

State = Literal["NOT AUTHENTICATED", "AUTHENTICATED"]
Kind = Literal["string", "number"]
_BEFORE: frozenset[State] = frozenset({"NOT AUTHENTICATED"})
_AFTER: frozenset[State] = frozenset({"AUTHENTICATED"})
_BOTH = _BEFORE | _AFTER
_TYPES: dict[Kind, type] = {"string": bytes, "number": int}


class Entry(msgspec.Struct, frozen=True):
    """One command: the states it is taken in, the kinds of its arguments (the last `optional` may lack), its function."""

    states: frozenset[State]
    kinds: tuple[Kind, ...]
    run: "Callable[[Session, tuple[Argument, ...]], Awaitable[None]]"
    optional: int = 0

    def takes(self, arguments: tuple[Argument, ...]) -> bool:
        """Whether the arguments are of these kinds."""
        if not len(self.kinds) - self.optional <= len(arguments) <= len(self.kinds):
            return False
        return all(isinstance(one, _TYPES[kind]) for one, kind in zip(arguments, self.kinds, strict=False))


async def _noop(session: "Session", arguments: tuple[Argument, ...]) -> None:
    """RFC 5804 §2.13: a string given comes back."""
    tag = arguments[0] if arguments else None
    code = f"TAG {string(tag).decode('utf-8', 'replace')}" if isinstance(tag, bytes) else ""
    session.write(ok("Done", code))


async def _logout(session: "Session", _: tuple[Argument, ...]) -> None:
    """RFC 5804 §2.3."""
    session.close(ok("Bye"))


async def _capability(session: "Session", _: tuple[Argument, ...]) -> None:
    """RFC 5804 §2.4."""
    session.write(session.capabilities() + ok())


COMMANDS: dict[str, Entry] = {
    "CAPABILITY": Entry(_BOTH, (), _capability),
    "LOGOUT": Entry(_BOTH, (), _logout),
    "NOOP": Entry(_BOTH, ("string",), _noop, optional=1),
    "STARTTLS": Entry(_BEFORE, (), authentication.starttls),
    "AUTHENTICATE": Entry(_BEFORE, ("string", "string"), authentication.authenticate, optional=1),
    "UNAUTHENTICATE": Entry(_AFTER, (), authentication.unauthenticate),
    "HAVESPACE": Entry(_AFTER, ("string", "number"), scripts.havespace),
    "PUTSCRIPT": Entry(_AFTER, ("string", "string"), scripts.putscript),
    "CHECKSCRIPT": Entry(_AFTER, ("string",), scripts.checkscript),
    "LISTSCRIPTS": Entry(_AFTER, (), scripts.listscripts),
    "SETACTIVE": Entry(_AFTER, ("string",), scripts.setactive),
    "GETSCRIPT": Entry(_AFTER, ("string",), scripts.getscript),
    "DELETESCRIPT": Entry(_AFTER, ("string",), scripts.deletescript),
    "RENAMESCRIPT": Entry(_AFTER, ("string", "string"), scripts.renamescript),
}
