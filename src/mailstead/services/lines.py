"""A service that is nothing but listeners of one line protocol."""

from collections.abc import Mapping, Sequence

from mailstead.foundation.net.listen import EVERYWHERE
from mailstead.foundation.net.server import Handler, LineServer, Listener, ListenerTLS
from mailstead.services.definition import Wiring
from mailstead.services.ready import Endpoint, EndpointTLS


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
    wanted = [one for one in listeners if one is not None and wiring.listening.has(one.name)]
    server = LineServer(
        service,
        handler,
        wanted,
        contexts=wiring.contexts,
        limits=wiring.stores.settings.network,
        too_many=too_many,
        metrics=wiring.stores.metrics,
        listening=wiring.listening,
    )
    ports = await server.start()
    endpoints = {
        listener.name: Endpoint(listener.host, ports[listener.name], _told(listener.tls))
        for listener in wanted
        if not listener.host.startswith("unix:")
    }
    return LineService(server, endpoints)


def _reachable(host: str) -> str:
    """Where a client of this machine connects to."""
    return "127.0.0.1" if host in EVERYWHERE else host


def _told(tls: ListenerTLS) -> EndpointTLS:
    """What clients are told: a port that detects TLS needs none."""
    return "none" if tls == "detect" else tls


def listener(wiring: Wiring, name: str, port: int | None, tls: ListenerTLS, *, proxy: bool = True) -> Listener | None:
    """A listener on the bind address, None when its port is off."""
    return None if port is None else Listener(name, wiring.stores.settings.server.bind, port, tls, proxy)
