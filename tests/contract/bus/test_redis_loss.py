"""A Redis server that is killed, hangs, comes late, comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.interface import Bus, BusLostError
from mailstead.stores.bus.open import open_bus
from support.eventually import eventually
from support.heard import Heard
from support.redis_server import RedisServer

OPEN = BusSettings(timeout=0.5, retry_interval=0.1, probe_interval=0.2, takeover_wait=0.05)
CLOSED = BusSettings(timeout=0.5, retry_interval=0.1, probe_interval=0.2, takeover_wait=0.05, on_loss="closed")


def opened(redis: RedisServer, settings: BusSettings, data: Path) -> AbstractAsyncContextManager[Bus]:
    @asynccontextmanager
    async def context() -> AsyncIterator[Bus]:
        bus = open_bus(redis.url, data, settings)
        await bus.open()
        try:
            yield bus
        finally:
            await bus.close()

    return context()


async def test_open_goes_on_alone_and_comes_back(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, OPEN, tmp_path) as bus, opened(redis, OPEN, tmp_path) as other:
        before, during, theirs = Heard(), Heard(), Heard()
        await bus.subscribe("a", before.event, on_gap=before.gap)
        await other.subscribe("*", theirs.event, on_gap=theirs.gap)
        token = await bus.acquire("lease", "me", 60)
        assert await bus.increment("count", 60, 10) == 10
        redis.kill()
        assert await bus.increment("count", 60) == 1
        assert await bus.increment("count", 60) == 2
        assert await other.increment("count", 60) == 1
        assert await bus.renew("lease", "me", 60)
        await bus.store("x", b"1", 60)
        assert await bus.fetch("x") == b"1"
        await bus.subscribe("b", during.event, on_gap=during.gap)
        await bus.publish("a", b"alone")
        await bus.publish("b", b"alone")
        await eventually(lambda: before.events and during.events)
        assert theirs.events == []
        redis.start()
        await eventually(lambda: before.gaps and during.gaps and theirs.gaps)
        await other.publish("a", b"together")
        await other.publish("b", b"together")
        await eventually(lambda: len(before.events) == len(during.events) == 2)
        await eventually(lambda: len(theirs.events) == 2)
        assert await bus.counter("count") == 0
        assert await bus.fetch("x") is None
        # The server forgot the lease; its owner claimed it again with its token.
        assert await other.acquire("lease", "you", 60) == 0
        assert await bus.acquire("lease", "me", 60) == token


async def test_closed_fails_until_it_is_back(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, CLOSED, tmp_path) as bus:
        heard = Heard()
        await bus.subscribe("a", heard.event, on_gap=heard.gap)
        redis.kill()
        with pytest.raises(BusLostError):
            await bus.increment("count", 60)
        with pytest.raises(BusLostError):
            await bus.publish("a", b"")
        with pytest.raises(BusLostError):
            await bus.subscribe("b", heard.event)
        with pytest.raises(BusLostError):
            await bus.fetch("x")
        redis.start()
        await eventually(lambda: heard.gaps)
        assert await bus.increment("count", 60) == 1
        await bus.publish("a", b"1")
        await bus.publish("b", b"nobody")
        await eventually(lambda: heard.events == [("a", b"1")])


async def test_a_server_that_hangs(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, OPEN, tmp_path) as bus:
        heard = Heard()
        await bus.subscribe("a", heard.event, on_gap=heard.gap)
        redis.freeze()
        async with asyncio.timeout(10):
            assert await bus.increment("count", 60) == 1
        redis.thaw()
        await eventually(lambda: heard.gaps)
        await bus.publish("a", b"1")
        await eventually(lambda: heard.events)


async def test_a_server_that_hangs_while_nothing_is_said(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, OPEN, tmp_path) as bus:
        heard = Heard()
        await bus.subscribe("a", heard.event, on_gap=heard.gap)
        redis.freeze()
        await eventually(lambda: not bus.is_linked)
        redis.thaw()
        await eventually(lambda: heard.gaps)


async def test_a_server_that_comes_late(redis: RedisServer, tmp_path: Path) -> None:
    redis.kill()
    async with opened(redis, OPEN, tmp_path) as bus, opened(redis, CLOSED, tmp_path) as strict:
        heard = Heard()
        await bus.subscribe("a", heard.event, on_gap=heard.gap)
        assert await bus.increment("count", 60) == 1
        with pytest.raises(BusLostError):
            await strict.increment("count", 60)
        redis.start()
        await eventually(lambda: heard.gaps)

        async def strict_is_back() -> bool:
            try:
                return await strict.increment("count", 60) > 0
            except BusLostError:
                return False

        await eventually(strict_is_back)


async def test_again_and_again_under_load(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, OPEN, tmp_path) as bus, opened(redis, OPEN, tmp_path) as other:
        heard = Heard()
        await other.subscribe("load.*", heard.event, on_gap=heard.gap)
        done = asyncio.Event()

        async def load(name: str) -> None:
            while not done.is_set():
                await bus.publish(f"load.{name}", b"x")
                await bus.increment(name, 60)
                await asyncio.sleep(0)  # in memory alone nothing waits

        tasks = [asyncio.create_task(load(str(number))) for number in range(30)]
        try:
            for _ in range(3):
                gaps, events = heard.gaps, len(heard.events)

                def heard_more(gaps: int = gaps, events: int = events) -> bool:
                    return heard.gaps > gaps and len(heard.events) > events

                redis.kill()
                await asyncio.to_thread(redis.start)
                await eventually(heard_more)
        finally:
            done.set()
        await asyncio.gather(*tasks)
        await bus.publish("load.end", b"end")
        await eventually(lambda: ("load.end", b"end") in heard.events)


async def test_closing_right_after_an_unsubscription_ends(redis: RedisServer, tmp_path: Path) -> None:
    """The writer's cancellation may come while it sends: it must not wait for another command then."""
    for _ in range(10):
        bus = open_bus(redis.url, tmp_path, BusSettings(timeout=1.0))
        await bus.open()
        subscription = await bus.subscribe("channel", lambda _, __: None)
        subscription.close()
        async with asyncio.timeout(20):
            await bus.close()
