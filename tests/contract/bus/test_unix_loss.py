"""The process that serves the unix bus dies; another takes over."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.open import open_bus
from mailstead.stores.bus.unix.connector import SOCKET_NAME
from mailstead.stores.bus.unix.frames import frame
from support import bus_worker
from support.eventually import eventually
from support.heard import Heard

SETTINGS = BusSettings(timeout=2.0, retry_interval=0.1, payload_limit=10_000, backlog_limit=200_000)


@contextmanager
def worker(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process on the bus, linked."""
    command = [sys.executable, bus_worker.__file__, str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


async def make_bus(data: Path, settings: BusSettings = SETTINGS) -> Bus:
    bus = open_bus("unix:", data, settings)
    await bus.open()
    return bus


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    bus = await make_bus(tmp_path)
    yield bus
    await bus.close()


async def test_a_guest_takes_over(tmp_path: Path) -> None:
    first, second = Heard(), Heard()
    with worker(tmp_path) as host:
        assert host.stdin is not None
        guests = [await make_bus(tmp_path), await make_bus(tmp_path)]
        await guests[0].subscribe("*", first.event, on_gap=first.gap)
        await guests[1].subscribe("worker", second.event, on_gap=second.gap)
        token = await guests[0].acquire("lease", "me", 60)
        assert await guests[1].acquire("worker", "me", 60) == 0
        host.stdin.write("hello\n")
        host.stdin.flush()
        await eventually(lambda: first.events == second.events == [("worker", b"hello")])
        host.kill()
        host.wait()
        await eventually(lambda: first.gaps == second.gaps == 1)
        for guest in guests:
            await guest.publish("worker", b"again")
        await eventually(lambda: len(first.events) == len(second.events) == 3)
        # Who held a lease keeps it; the lease of the dead is free after a moment.
        assert await guests[1].acquire("lease", "you", 60) == 0
        assert await guests[0].acquire("lease", "me", 60) == token
        await eventually(lambda: guests[1].acquire("worker", "me", 60))
        for guest in guests:
            await guest.close()


async def test_the_host_leaves_in_peace(bus: Bus, tmp_path: Path) -> None:
    heard = Heard()
    guest = await make_bus(tmp_path)
    await guest.subscribe("a", heard.event, on_gap=heard.gap)
    await bus.close()
    await eventually(lambda: heard.gaps)
    assert guest.is_linked
    await guest.publish("a", b"1")
    await eventually(lambda: heard.events)
    late = await make_bus(tmp_path)
    await late.publish("a", b"2")
    await eventually(lambda: len(heard.events) == 2)
    await late.close()
    await guest.close()


async def test_calls_wait_for_the_one_who_takes_over(bus: Bus, tmp_path: Path) -> None:
    guests = [await make_bus(tmp_path) for _ in range(3)]
    await bus.close()
    values = await asyncio.gather(*(guest.increment("count", 60) for guest in guests * 5))
    assert sorted(values) == list(range(1, 16))
    for guest in guests:
        await guest.close()


async def test_only_the_owner_may_connect(bus: Bus, tmp_path: Path) -> None:
    assert (tmp_path / SOCKET_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01\xc1",
        b"\x00\x00\x00\x01\x80",
        frame([]),
        frame([1]),
        frame([1, "__init__"]),
        frame([1, "clear"]),
        frame([1, "counter"]),
        frame([1, "listen"]),
        frame([1, "increment", "x", "soon", 1]),
    ],
)
async def test_rubbish_closes_the_connection_only(bus: Bus, tmp_path: Path, rubbish: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(tmp_path / SOCKET_NAME))
        stranger.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(stranger, rubbish)
        async with asyncio.timeout(5):
            assert await loop.sock_recv(stranger, 100) == b""
    await bus.increment("count", 60)
    guest = await make_bus(tmp_path)
    assert await guest.counter("count") == 1
    await guest.close()


async def test_one_who_does_not_read_is_cut_off(bus: Bus, tmp_path: Path) -> None:
    heard = Heard()
    await bus.subscribe("x", heard.event)
    with socket.socket(socket.AF_UNIX) as guest:
        guest.connect(str(tmp_path / SOCKET_NAME))
        guest.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(guest, frame([1, "listen", "x"]))
        assert await loop.sock_recv(guest, 100) == frame([1, None])
        for _ in range(200):
            await bus.publish("x", b"y" * 10_000)
            await asyncio.sleep(0)
        await eventually(lambda: len(heard.events) == 200)
        received = 0
        async with asyncio.timeout(10):
            while piece := await loop.sock_recv(guest, 100_000):
                received += len(piece)
        assert received < 200 * 10_000
