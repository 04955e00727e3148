"""POP3 on connections."""

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.conversation import ConnectionOutput, converse, peer_of
from mailstead.foundation.net.server import Handler
from mailstead.protocols.pop3.responses import error
from mailstead.protocols.pop3.session import Pop3Services, Session

TOO_MANY = error("Too many connections", "SYS/TEMP")


def pop3_handler(services: Pop3Services) -> Handler:
    """The handler of POP3 listeners; `TOO_MANY` is what LineServer tells connections over a limit."""

    async def handle(connection: Connection) -> None:
        output = ConnectionOutput(connection, services.settings.network.write_timeout)
        secured, offered = connection.tls is not None, connection.tls_context is not None
        session = Session(services, peer_of(connection), output, tls=secured, can_start_tls=offered)
        try:
            await converse(connection, session, output)
        finally:
            await session.end()

    return handle
