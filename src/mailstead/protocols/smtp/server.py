"""SMTP sessions on connections."""

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.conversation import ConnectionOutput, peer_of
from mailstead.foundation.net.errors import DrainingError, ReadTimeoutError
from mailstead.foundation.net.server import Handler
from mailstead.protocols.smtp.reply import reply
from mailstead.protocols.smtp.roles.role import Role
from mailstead.protocols.smtp.session import Session

TOO_MANY = reply(421, "4.7.0", "Too many connections").encoded


def smtp_handler(role: Role) -> Handler:
    """The handler of a role's listeners; `TOO_MANY` is what LineServer tells connections over a limit."""

    async def handle(connection: Connection) -> None:
        output = ConnectionOutput(connection, role.services.settings.network.write_timeout)
        session = Session(
            role, peer_of(connection), output, tls=connection.tls, can_start_tls=connection.tls_context is not None
        )
        try:
            await _converse(connection, session, output)
        finally:
            session.end()

    return handle


async def _converse(connection: Connection, session: Session, output: ConnectionOutput) -> None:
    async def listen(seconds: float) -> bool:
        try:
            data = await connection.read(seconds)
        except ReadTimeoutError:
            return False
        connection.unread(data)
        return bool(data)

    try:
        await session.open(listen)
    except DrainingError:
        session.say_goodbye(421, "4.3.2", "is shutting down")
    while not session.is_over:
        try:
            data = await connection.read(session.timeout)
        except ReadTimeoutError:
            session.say_goodbye(421, "4.4.2", "waited long enough")
            return
        except DrainingError:
            session.say_goodbye(421, "4.3.2", "is shutting down")
            return
        if not data:
            return
        await session.receive(data)
        if session.wants_tls:
            await connection.start_tls()  # nothing is awaited between the reply and this
            session.tls_started(connection.tls)
        elif not session.is_over:
            await output.flush()
