"""What a session without sockets says, and a session on a real listener."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from mailstead.foundation.net.conversation import Peer
from mailstead.foundation.net.server import Handler, LineServer, Listener, ListenerTLS
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from support.installation import HOSTNAME, Installation


class Heard:
    """Where a session writes to; `peer` is who it talks with."""

    def __init__(self, address: str = "192.0.2.1", connection: str = "c1") -> None:
        self.sent: list[bytes] = []
        self.held: list[str] = []
        self.flushes = 0
        self.peer = Peer(connection, address, address.startswith("127."), self._hold)

    async def _hold(self, account: str) -> None:
        self.held.append(account)

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writelines(self, data: Iterable[bytes]) -> None:
        self.sent.extend(data)

    async def flush(self) -> None:
        self.flushes += 1

    def take(self) -> bytes:
        """What was said since the last time."""
        found = b"".join(self.sent)
        self.sent.clear()
        return found


@asynccontextmanager
async def listening(
    made: Installation, name: str, handler: Handler, too_many: bytes, tls: ListenerTLS, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[int, Path]]:
    """A real listener: its port and the authority's certificate."""
    authority = ensure_local_authority(made.folder / "tls", (HOSTNAME, "localhost", "127.0.0.1"))
    server = LineServer(
        name,
        handler,
        [Listener(name, host, 0, tls)],
        contexts=TLSContexts(made.folder / "tls", made.settings.tls),
        limits=made.settings.network,
        too_many=too_many,
        metrics=made.metrics,
    )
    ports = await server.start()
    try:
        yield ports[name], authority
    finally:
        await server.drain(5)
