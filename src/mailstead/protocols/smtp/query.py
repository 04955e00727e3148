"""Commands that change nothing, or end something: RSET, NOOP, QUIT, HELP, VRFY, EXPN."""

from typing import TYPE_CHECKING

from mailstead.protocols.smtp.commands import CommandSyntaxError
from mailstead.protocols.smtp.reply import reply

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_OK = reply(250, "2.0.0", "OK")
_BYE = reply(221, "2.0.0", "Bye")
_MAYBE = reply(252, "2.0.0", "Send some mail and see")
_NO_LISTS = reply(502, "5.5.1", "Lists are not told")


async def rset(session: "Session", argument: str) -> None:
    """RSET (RFC 5321 §4.1.1.5)."""
    if argument:
        raise CommandSyntaxError("RSET takes no argument")
    session.moved("RSET")
    session.reset(session.state)
    session.send(_OK)


async def noop(session: "Session", _: str) -> None:
    """NOOP (RFC 5321 §4.1.1.9)."""
    session.send(_OK)


async def quit_(session: "Session", argument: str) -> None:
    """QUIT (RFC 5321 §4.1.1.10)."""
    if argument:
        raise CommandSyntaxError("QUIT takes no argument")
    session.close(_BYE)


async def help_(session: "Session", _: str) -> None:
    """HELP (RFC 5321 §4.1.1.8)."""
    session.send(reply(214, "2.0.0", f"Commands: {' '.join(session.role.verbs)}"))


async def vrfy(session: "Session", argument: str) -> None:
    """VRFY: who is here is not told (RFC 5321 §7.3)."""
    if not argument:
        raise CommandSyntaxError("Syntax: VRFY address")
    session.send(_MAYBE)


async def expn(session: "Session", _: str) -> None:
    """EXPN."""
    session.send(_NO_LISTS)
