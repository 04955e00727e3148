"""IMAP on connections."""

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError, ReadTimeoutError
from mailstead.foundation.net.server import Handler
from mailstead.protocols.imap.parser import Bad, Command, CommandError, CommandReader, Continue
from mailstead.protocols.imap.session import ImapServices, Session

TOO_MANY = b"* BYE [UNAVAILABLE] Too many connections\r\n"


def imap_handler(services: ImapServices) -> Handler:
    """The handler of IMAP listeners."""

    async def handle(connection: Connection) -> None:
        settings = services.settings.imap
        reader = CommandReader(settings.line_limit, settings.literal_before_login)
        session = Session(connection, services, reader)
        session.write(f"* OK [CAPABILITY {session.capabilities()}] {services.hostname} Mailstead")
        errors = 0
        try:
            while not session.over and errors < settings.errors_limit:
                event = reader.next_event()
                match event:
                    case None:
                        await connection.flush(services.settings.network.write_timeout)
                        idle = settings.login_timeout if session.mailbox is None else settings.idle_timeout
                        data = await connection.read(idle)
                        if not data:
                            return
                        reader.receive(data)
                    case Continue():
                        connection.write(b"+ go on\r\n")
                    case Bad(tag=tag, why=why, fatal=fatal):
                        session.write(f"* BYE {why}" if fatal else f"{tag} BAD {why}")
                        session.over = fatal
                        errors += 1
                    case Command():
                        try:
                            await session.execute(event)
                        except CommandError:
                            errors += 1
            if errors >= settings.errors_limit:
                session.write("* BYE Too many bad commands")
        except ReadTimeoutError:
            session.write("* BYE Idle for too long")
        except DrainingError:
            session.write("* BYE Shutting down")

    return handle
