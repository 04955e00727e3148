"""A service that is nothing but listeners of one line protocol."""

from collections.abc import Mapping, Sequence

from mailstead.foundation.net.listen import EVERYWHERE
from mailstead.foundation.net.server import Handler, LineServer, Listener
from mailstead.services.definition import Wiring
from mailstead.services.ready import Endpoint


class LineService:
    """A running LineServer with its endpoints."""

    def __init__(self, server: LineServer, endpoints: Mapping[str, Endpoint]) -> None:
        self._server = server
        self._endpoints = dict(endpoints)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await self._server.drain(timeout)


async def serve_lines(
    wiring: Wiring, service: str, handler: Handler, listeners: Sequence[Listener | None], too_many: bytes
) -> LineService:
    """Listen with `handler` on the listeners that are switched on. Raises ListenError."""
    wanted = [listener for listener in listeners if listener is not None]
    server = LineServer(
        service,
        handler,
        wanted,
        contexts=wiring.contexts,
        limits=wiring.stores.settings.network,
        too_many=too_many,
        metrics=wiring.stores.metrics,
    )
    ports = await server.start()
    endpoints = {
        listener.name: Endpoint(_reachable(listener.host), ports[listener.name], listener.tls)
        for listener in wanted
        if not listener.host.startswith("unix:")
    }
    return LineService(server, endpoints)


def _reachable(host: str) -> str:
    """Where a client of this machine connects to."""
    return "127.0.0.1" if host in EVERYWHERE else host


def listener(wiring: Wiring, name: str, port: int | None, tls: str, *, proxy: bool = True) -> Listener | None:
    """A listener on the bind address, None when its port is off."""
    if port is None:
        return None
    kind = "implicit" if tls == "implicit" else "starttls" if tls == "starttls" else "none"
    return Listener(name, wiring.stores.settings.server.bind, port, kind, proxy)  # type: ignore[arg-type]
