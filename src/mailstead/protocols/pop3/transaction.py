"""Commands of the TRANSACTION state (RFC 1939 §5, §7)."""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.pop3.maildrop import Maildrop
from mailstead.protocols.pop3.responses import END, Stuffing, error, ok, stuffed
from mailstead.stores.mailbox.content import MessageContent

if TYPE_CHECKING:
    from mailstead.protocols.pop3.session import Session

_LINES_AT_ONCE = 2000
_NO_SUCH_MESSAGE = error("No such message")


def _number(session: "Session", text: str) -> int:
    """The number of a message that is there; 0, and the session is told, when it is not."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
    if session.drop.is_present(number):
        return number
    session.fail(_NO_SUCH_MESSAGE)
    return 0


async def stat(session: "Session", _: list[str]) -> None:
    """STAT."""
    session.write(f"+OK {session.drop.count} {session.drop.size}\r\n".encode())


async def listing(session: "Session", arguments: list[str]) -> None:
    """LIST [msg]."""
    if arguments:
        if number := _number(session, arguments[0]):
            session.write(f"+OK {number} {session.drop.size_of(number)}\r\n".encode())
        return
    session.write(ok(f"{session.drop.count} messages ({session.drop.size} octets)"))
    await _send_lines(session, [f"{number} {session.drop.size_of(number)}\r\n" for number in session.drop.numbers()])


async def uidl(session: "Session", arguments: list[str]) -> None:
    """UIDL [msg]."""
    if arguments:
        if number := _number(session, arguments[0]):
            session.write(f"+OK {number} {session.drop.unique_id(number)}\r\n".encode())
        return
    session.write(ok())
    await _send_lines(session, [f"{number} {session.drop.unique_id(number)}\r\n" for number in session.drop.numbers()])


async def _send_lines(session: "Session", lines: list[str]) -> None:
    for start in range(0, len(lines), _LINES_AT_ONCE):
        session.write("".join(lines[start : start + _LINES_AT_ONCE]).encode())
        await session.flush()
    session.write(END)


async def retr(session: "Session", arguments: list[str]) -> None:
    """RETR msg: the message as it is stored, streamed as fast as the client takes it."""
    number = _number(session, arguments[0])
    content = _content(session, number) if number else None
    if content is None:
        return
    head = b"+OK %d octets\r\n" % content.size
    if content.octets is not None:
        session.writelines([head, *stuffed(content.octets)])
        await session.flush()
    else:
        session.write(head)
        stuffing = Stuffing()
        async for data in session.drop.read(content):
            session.write(stuffing.stuff(data))
            await session.flush()
        session.write(stuffing.end())
    session.services.retrieved.inc()


async def top(session: "Session", arguments: list[str]) -> None:
    """TOP msg n: the header, the empty line, and n lines of the body."""
    lines = arguments[1]
    if not (lines.isascii() and lines.isdigit() and len(lines) <= 10):
        session.fail(error("The number of lines is not a number"))
        return
    number = _number(session, arguments[0])
    content = _content(session, number) if number else None
    if content is None:
        return
    session.write(ok("Top of message follows"))
    await _send_top(session, session.drop, content, int(lines))


async def _send_top(session: "Session", drop: Maildrop, content: MessageContent, lines: int) -> None:
    stuffing = Stuffing()
    header_left = content.parts[0].body_start
    async for data in drop.read(content):
        header, body = data[:header_left], data[header_left:]
        header_left -= len(header)
        if body:
            pieces = body.split(b"\n", lines)
            whole = len(pieces) - 1
            lines -= whole
            if lines == 0:
                body = body[: len(body) - len(pieces[-1])]
        session.write(stuffing.stuff(header + body))
        await session.flush()
        if header_left <= 0 and lines == 0:
            break
    session.write(stuffing.end())


def _content(session: "Session", number: int) -> MessageContent | None:
    """The message, or None and the session is told why not."""
    try:
        content = session.drop.content(number)
        strict = session.services.settings.pop3.utf8_strict and not session.utf8
        if strict and not content.read(0, content.parts[0].body_start).isascii():
            session.fail(error("This message needs UTF8 mode", "UTF8"))
            return None
    except MailsteadError as problem:
        session.fail(error(problem.public_text, "SYS/TEMP" if problem.temporary else "SYS/PERM"))
        return None
    return content


async def dele(session: "Session", arguments: list[str]) -> None:
    """DELE msg."""
    if number := _number(session, arguments[0]):
        session.drop.mark(number)
        session.write(ok(f"Message {number} deleted"))


async def rset(session: "Session", _: list[str]) -> None:
    """RSET."""
    session.drop.unmark_all()
    session.write(ok(f"{session.drop.count} messages ({session.drop.size} octets)"))


async def noop(session: "Session", _: list[str]) -> None:
    """NOOP."""
    session.write(ok())


async def last(session: "Session", _: list[str]) -> None:
    """LAST: the highest message number accessed; no longer in the standard, still asked for by old clients."""
    session.write(f"+OK {session.drop.last}\r\n".encode())
