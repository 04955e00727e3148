"""ManageSieve on connections."""

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.conversation import ConnectionOutput, converse, peer_of
from mailstead.foundation.net.server import Handler
from mailstead.protocols.managesieve.responses import bye
from mailstead.protocols.managesieve.session import Session, SieveServices

TOO_MANY = bye("Too many connections", "TRYLATER")


def sieve_handler(services: SieveServices) -> Handler:
    """The handler of ManageSieve listeners; `TOO_MANY` is what LineServer tells connections over a limit."""

    async def handle(connection: Connection) -> None:
        output = ConnectionOutput(connection, services.settings.network.write_timeout)
        secured, offered = connection.tls is not None, connection.tls_context is not None
        session = Session(services, peer_of(connection), output, tls=secured, can_start_tls=offered)
        await converse(connection, session, output)

    return handle
