"""Commands on scripts (RFC 5804 §2.5 to §2.12)."""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import InvalidError
from mailstead.protocols.managesieve.parser import Argument
from mailstead.protocols.managesieve.responses import ok, string
from mailstead.stores.scripts.scripts import checked_name

if TYPE_CHECKING:
    from mailstead.protocols.managesieve.session import Session

Arguments = tuple[Argument, ...]


def _octets(argument: Argument) -> bytes:
    assert isinstance(argument, bytes)
    return argument


def _name(argument: Argument) -> str:
    """A script's name. Raises InvalidError."""
    try:
        return checked_name(_octets(argument).decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidError("Names are UTF-8") from None


async def havespace(session: "Session", arguments: Arguments) -> None:
    """HAVESPACE name size (RFC 5804 §2.5)."""
    size = arguments[1]
    assert isinstance(size, int)
    await session.services.scripts.check_space(session.mailbox_id, _name(arguments[0]), size)
    session.write(ok())


async def putscript(session: "Session", arguments: Arguments) -> None:
    """PUTSCRIPT name content (RFC 5804 §2.6): a script that cannot be used is not kept."""
    name, content = _name(arguments[0]), _octets(arguments[1])
    await session.services.scripts.put(session.mailbox_id, name, content)
    await session.record("script.put", name=name, octets=len(content))
    session.write(ok("Kept"))


async def checkscript(session: "Session", arguments: Arguments) -> None:
    """CHECKSCRIPT content (RFC 5804 §2.12)."""
    session.services.scripts.compile(_octets(arguments[0]))
    session.write(ok("The script is fine"))


async def listscripts(session: "Session", _: Arguments) -> None:
    """LISTSCRIPTS (RFC 5804 §2.7)."""
    held = await session.services.scripts.all_of(session.mailbox_id)
    lines = [
        string(entry.name.encode()) + (b" ACTIVE\r\n" if entry.name == held.active else b"\r\n")
        for entry in held.scripts
    ]
    session.write(b"".join(lines) + ok())


async def setactive(session: "Session", arguments: Arguments) -> None:
    """SETACTIVE name (RFC 5804 §2.8); "" switches filtering off."""
    name = _name(arguments[0]) if arguments[0] else ""
    await session.services.scripts.activate(session.mailbox_id, name)
    await session.record("script.activate", name=name)
    session.write(ok())


async def getscript(session: "Session", arguments: Arguments) -> None:
    """GETSCRIPT name (RFC 5804 §2.9): octet for octet what was put."""
    content = await session.services.scripts.content(session.mailbox_id, _name(arguments[0]))
    session.write(b"{%d}\r\n" % len(content) + content + b"\r\n" + ok())


async def deletescript(session: "Session", arguments: Arguments) -> None:
    """DELETESCRIPT name (RFC 5804 §2.10)."""
    name = _name(arguments[0])
    await session.services.scripts.remove(session.mailbox_id, name)
    await session.record("script.remove", name=name)
    session.write(ok())


async def renamescript(session: "Session", arguments: Arguments) -> None:
    """RENAMESCRIPT old new (RFC 5804 §2.11)."""
    old, new = _name(arguments[0]), _name(arguments[1])
    await session.services.scripts.rename(session.mailbox_id, old, new)
    await session.record("script.rename", old=old, new=new)
    session.write(ok())
