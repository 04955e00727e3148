"""IMAP on connections."""

import asyncio
from functools import partial
from pathlib import Path

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError, ReadInterruptedError, ReadTimeoutError
from mailstead.foundation.net.server import Handler
from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.errors import ClosedError
from mailstead.protocols.imap.grammar.reader import CommandReader, CommandText, Continue, ReaderLimits, Refused
from mailstead.protocols.imap.responses import failure, status
from mailstead.protocols.imap.session import ImapServices, Session

TOO_MANY = b"* BYE [UNAVAILABLE] Too many connections\r\n"
_GO_ON = b"+ Go on\r\n"


def limits_before_login(settings: Settings) -> ReaderLimits:
    """What is taken from a client that nobody knows."""
    literal = settings.imap.literal_before_login
    return ReaderLimits(settings.imap.line_limit, literal, 0, 0, settings.imap.literals_limit)


def imap_handler(services: ImapServices) -> Handler:
    """The handler of IMAP listeners; `TOO_MANY` is what LineServer tells connections over a limit."""
    settings = services.settings
    folder = settings.message.spool_directory or Path(settings.server.data) / "spool"
    make_spool = partial(Spool, settings.message.spool_threshold, Path(folder))

    async def handle(connection: Connection) -> None:
        session = Session(connection, services, CommandReader(limits_before_login(settings), make_spool))
        try:
            session.greet()
            await _converse(session)
        except ReadTimeoutError:
            session.write(status("*", "BYE", "Idle for too long"))
        except DrainingError:
            session.write(status("*", "BYE", "Shutting down", b"UNAVAILABLE"))
        finally:
            session.finish()
            session.close()

    return handle


async def _converse(session: Session) -> None:
    """Commands in order; after a batch of them others get their turn."""
    settings = session.services.settings.imap
    errors = batch = 0
    while not session.over:
        event = session.reader.next_event()
        understood = True
        match event:
            case CommandText():
                understood = await session.execute(event)
                errors = 0 if understood else errors + 1
            case Continue():
                session.write(_GO_ON)
            case Refused(tag=tag, why=why, code=code, bad=bad, fatal=fatal):
                kind = "BYE" if fatal else "BAD" if bad else "NO"
                session.write(status("*" if fatal else tag, kind, why, code.encode()))
                session.over = fatal
                errors += 1
            case None:
                batch = 0
                await session.flush()
                if not await _receive(session):
                    return
        if errors >= settings.errors_limit:
            session.write(status("*", "BYE", "Too many bad commands"))
            return
        batch += 1
        if batch >= settings.batch:
            batch = 0
            await session.flush()
            await asyncio.sleep(0)


async def _receive(session: Session) -> bool:
    """Wait for input, seeing to other things meanwhile; False at its end, or when the session cannot go on."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + session.patience
    while True:
        try:
            await session.attend()
            data = await session.read(max(deadline - clock(), 0.0))
        except ReadInterruptedError:
            continue
        except ClosedError as error:
            session.write(failure("*", error, "BYE"))
            return False
        session.reader.receive(data)
        return bool(data)
