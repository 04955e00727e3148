"""From a URL to a bus."""

from pathlib import Path

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.memory import MemoryBus
from mailstead.stores.bus.remote import RemoteBus
from mailstead.stores.bus.unix.connector import UnixConnector


def open_bus(url: str, data: Path, settings: BusSettings | None = None, clock: Clock | None = None) -> Bus:
    """The bus of `url`, not opened yet: `memory:`, `unix:` (`data`/bus.sock), `redis://HOST` or `redis+sentinel://...`.

    Raises InvalidError for other URLs.
    """
    settings = settings or BusSettings()
    clock = clock or SystemClock()
    scheme = url.partition(":")[0]
    if scheme == "memory":
        return MemoryBus(settings, clock)
    if scheme == "unix":
        return RemoteBus(UnixConnector(data, settings, clock), "unix:", settings, clock)
    if scheme in ("redis", "rediss"):
        from mailstead.stores.bus.redis.link import RedisConnector  # noqa: PLC0415 6 MB that few need

        connector = RedisConnector(url, settings)
        return RemoteBus(connector, connector.place, settings, clock)
    if scheme in ("redis+sentinel", "rediss+sentinel"):
        from mailstead.stores.bus.redis.sentinel import SentinelConnector  # noqa: PLC0415

        sentinels = SentinelConnector(url, settings)
        return RemoteBus(sentinels, sentinels.place, settings, clock)
    raise InvalidError(detail=f"no bus is called {scheme!r}")
