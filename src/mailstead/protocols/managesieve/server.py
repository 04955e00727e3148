"""ManageSieve on connections."""

import ipaddress

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError
from mailstead.foundation.net.server import Handler
from mailstead.protocols.managesieve.responses import bye
from mailstead.protocols.managesieve.session import Peer, Session, SieveServices

TOO_MANY = bye("Too many connections", "TRYLATER")


class _Output:
    """Responses on a connection."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self.write = connection.write

    async def flush(self) -> None:
        """Wait for a client that reads slowly."""
        await self._connection.flush(self._timeout)


def sieve_handler(services: SieveServices) -> Handler:
    """The handler of ManageSieve listeners; `TOO_MANY` is what LineServer tells connections over a limit."""

    async def handle(connection: Connection) -> None:
        peer = Peer(connection.id, connection.peer.address, _is_loopback(connection), connection.hold_account)
        output = _Output(connection, services.settings.network.write_timeout)
        session = Session(
            services,
            peer,
            output,
            tls=connection.tls is not None,
            can_start_tls=connection.tls_context is not None,
        )
        session.greet()
        while not session.is_over:
            try:
                data = await connection.read(session.timeout)
            except DrainingError:
                session.say_goodbye("Shutting down")
                return
            if not data:
                return
            await session.receive(data)
            if session.wants_tls:
                await connection.start_tls()  # nothing is awaited between the reply and this
                session.tls_started()
            elif not session.is_over:
                await output.flush()

    return handle


def _is_loopback(connection: Connection) -> bool:
    try:
        return ipaddress.ip_address(connection.peer.address).is_loopback
    except ValueError:
        return connection.peer.address == "unix"
