"""A line server on loopback around one handler."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.server import Handler, LineServer, Listener, ListenerTLS
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts

NAMES = ("mail.example.test", "localhost", "127.0.0.1", "::1")
TOO_MANY = b"too many\r\n"


class Serving:
    """What runs: the server, where, and the certificate authority to verify it by."""

    def __init__(self, server: LineServer, port: int, authority: Path, metrics: Metrics) -> None:
        self.server = server
        self.port = port
        self.authority = authority
        self.metrics = metrics

    def value(self, name: str) -> float:
        """The value of one of the server's metrics."""
        start = f'mailstead_{name}{{service="echo"}} '
        lines = self.metrics.exposition().decode().splitlines()
        return float(next(line.removeprefix(start) for line in lines if line.startswith(start)))


@asynccontextmanager
async def serving(
    folder: Path,
    handler: Handler,
    tls: ListenerTLS = "none",
    limits: NetworkSettings | None = None,
    host: str = "127.0.0.1",
    *,
    proxy: bool = True,
) -> AsyncIterator[Serving]:
    """Serve `handler` on a free port, with a certificate in folder/tls."""
    authority = ensure_local_authority(folder / "tls", NAMES)
    metrics = Metrics()
    server = LineServer(
        "echo",
        handler,
        [Listener("echo", host, 0, tls, proxy)],
        contexts=TLSContexts(folder / "tls", TlsSettings()),
        limits=limits or NetworkSettings(),
        too_many=TOO_MANY,
        metrics=metrics,
    )
    ports = await server.start()
    try:
        yield Serving(server, ports["echo"], authority, metrics)
    finally:
        await server.drain(0.2)


async def echo(connection: Connection) -> None:
    """Send back what comes in."""
    while data := await connection.read(5):
        connection.write(data)
        await connection.flush(5)
