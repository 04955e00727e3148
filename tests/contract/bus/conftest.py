"""The engines that the contract is tried on."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.open import open_bus
from support.redis_server import RedisServer, redis_server

ENGINES = ("memory", "unix", "redis")
SETTINGS = BusSettings(timeout=1.0, retry_interval=0.1, probe_interval=0.3, payload_limit=100_000)


class Buses:
    """Opens buses that talk to each other, as several processes would (the memory bus knows one process only)."""

    def __init__(self, engine: str, url: str, data: Path) -> None:
        self.engine = engine
        self._url = url
        self._data = data
        self._stack = AsyncExitStack()
        self._shared: Bus | None = None

    async def open(self, settings: BusSettings = SETTINGS) -> Bus:
        if self._shared is not None:
            return self._shared
        bus = open_bus(self._url, self._data, settings)
        await bus.open()
        self._stack.push_async_callback(bus.close)
        if self.engine == "memory":
            self._shared = bus
        return bus

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture(params=ENGINES)
async def buses(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Buses]:
    url = request.getfixturevalue("redis").url if request.param == "redis" else f"{request.param}:"
    # A folder of the length that people have, past what the path of a socket may be.
    buses = Buses(request.param, url, tmp_path / ("long " * 20) / "data")
    yield buses
    await buses.close()


@pytest.fixture
async def bus(buses: Buses) -> Bus:
    return await buses.open()


@pytest.fixture
async def other(buses: Buses, bus: Bus) -> Bus:
    """What another process would have; `bus` itself with the memory engine."""
    return await buses.open()
