"""A session that knows no sockets, held on a connection: bytes in, bytes out, STARTTLS, and the end."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import msgspec

from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError


class Peer(msgspec.Struct, frozen=True):
    """The other side, as a session sees it; `address` is "unix" and `port` 0 on a unix socket."""

    connection: str
    address: str
    is_loopback: bool
    hold_account: Callable[[str], Awaitable[None]]
    port: int = 0


def peer_of(connection: Connection) -> Peer:
    """The peer of a connection; one on a unix socket counts as this host."""
    address = connection.peer.address
    return Peer(connection.id, address, is_loopback(address), connection.hold_account, connection.peer.port)


def is_loopback(address: str) -> bool:
    """Whether a peer's address is this host's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "unix"


class Output(Protocol):
    """Where a session's responses go."""

    def write(self, data: bytes) -> None:
        """Send `data` in order; returns at once."""
        ...

    def writelines(self, data: Iterable[bytes]) -> None:
        """Send all of `data` in order; returns at once."""
        ...

    async def flush(self) -> None:
        """Wait until little is unsent. Raises WriteTimeoutError, DisconnectedError."""
        ...


class ConnectionOutput:
    """Responses on a connection; a client that takes nothing for `timeout` seconds is left."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self.write = connection.write
        self.writelines = connection.writelines

    async def flush(self) -> None:
        """Wait for a client that reads slowly. Raises WriteTimeoutError, DisconnectedError."""
        await self._connection.flush(self._timeout)


class Conversing(Protocol):
    """A session as its host drives it."""

    is_over: bool
    wants_tls: bool

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next octets."""
        ...

    def greet(self) -> None:
        """Say the first words."""
        ...

    async def receive(self, data: bytes) -> None:
        """Carry out what `data` completes."""
        ...

    def tls_started(self) -> None:
        """Take note that the handshake is done."""
        ...

    def say_goodbye(self, text: str) -> None:
        """Take leave between two commands."""
        ...


async def converse(connection: Connection, session: Conversing, output: Output) -> None:
    """Hold the conversation until either side ends it or the service stops."""
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
