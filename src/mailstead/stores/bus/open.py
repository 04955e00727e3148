"""From a URL to a bus."""

from pathlib import Path

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.memory import MemoryBus


def open_bus(url: str, data: Path, settings: BusSettings | None = None, clock: Clock | None = None) -> Bus:
    """The bus of `url`, not opened yet: `memory:`, `unix:` (`data`/bus.sock) or `redis://HOST`.

    Raises InvalidError for other URLs.
    """
    settings = settings or BusSettings()
    clock = clock or SystemClock()
    scheme = url.partition(":")[0]
    if scheme == "memory":
        return MemoryBus(settings, clock)
    raise InvalidError(detail=f"no bus is called {scheme!r}")
