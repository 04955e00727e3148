import asyncio
import socket
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import (
    DrainingError,
    ReadTimeoutError,
    WriteTimeoutError,
)
from support.eventually import eventually
from support.line_server import echo, serving


async def test_echo_in_the_clear(tmp_path: Path) -> None:
    async with serving(tmp_path, echo) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"one ")
        client.write(b"two")
        found = b""
        while len(found) < 7:
            found += await client.read(5)
        assert found == b"one two"
        await client.close()


async def test_idle_reads_time_out_and_drain(tmp_path: Path) -> None:
    ended: list[type[Exception]] = []
    begun = asyncio.Event()

    async def wait(connection: Connection) -> None:
        try:
            await connection.read(0.01)
        except ReadTimeoutError as error:
            ended.append(type(error))
        begun.set()
        try:
            await connection.read(60)
        except DrainingError as error:
            ended.append(type(error))
            connection.write(b"bye\r\n")

    async with serving(tmp_path, wait) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        await begun.wait()
        await serving_on.server.drain(5)
        assert await client.read(5) == b"bye\r\n"
        await client.close()
    assert ended == [ReadTimeoutError, DrainingError]


async def test_a_peer_that_reads_nothing_runs_into_the_write_timeout(tmp_path: Path) -> None:
    ended: list[Exception] = []

    async def pour(connection: Connection) -> None:
        try:
            while True:
                connection.write(b"x" * 100_000)
                await connection.flush(0.05)
        except WriteTimeoutError as error:
            ended.append(error)
            raise

    limits = NetworkSettings(write_high_water=4096, close_timeout=0.02)
    async with serving(tmp_path, pour, limits=limits) as serving_on:
        with socket.create_connection(("127.0.0.1", serving_on.port)):
            await eventually(lambda: ended)
            await eventually(lambda: serving_on.value("connections") == 0)


async def test_a_peer_that_is_not_read_from_is_held_back(tmp_path: Path) -> None:
    may_read = asyncio.Event()
    total = 32 * 1024 * 1024

    async def slow(connection: Connection) -> None:
        await may_read.wait()
        found = 0
        while data := await connection.read(5):
            assert len(data) <= 4096 + 256 * 1024
            found += len(data)
        connection.write(str(found).encode())

    async with serving(tmp_path, slow, limits=NetworkSettings(read_high_water=4096)) as serving_on:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving_on.port)
        writer.write(b"x" * total)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):  # what the sockets between take is far less
                await writer.drain()
        may_read.set()
        await writer.drain()
        writer.write_eof()
        assert await reader.read() == str(total).encode()
        writer.close()
        await writer.wait_closed()


async def test_a_peer_that_closed_its_side_still_gets_its_answers(tmp_path: Path) -> None:
    async def count(connection: Connection) -> None:
        found = 0
        while data := await connection.read(5):
            found += len(data)
        assert await connection.read(5) == b""
        connection.write(b"y" * found)

    async with serving(tmp_path, count) as serving_on:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving_on.port)
        writer.write(b"x" * 300_000)
        writer.write_eof()
        assert len(await reader.read()) == 300_000
        writer.close()
        await writer.wait_closed()


async def test_the_last_reply_arrives_although_input_was_left_unread(tmp_path: Path) -> None:
    async def refuse(connection: Connection) -> None:
        await connection.read(5)
        connection.write(b"554 no\r\n")

    async with serving(tmp_path, refuse) as serving_on:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving_on.port)
        for _ in range(200):
            writer.write(b"x" * 10_000)
        assert await reader.readline() == b"554 no\r\n"
        writer.close()


async def test_writes_of_one_turn_leave_in_order_as_one(tmp_path: Path) -> None:
    async def speak(connection: Connection) -> None:
        connection.write(b"a")
        connection.writelines([b"b", b"c"])
        connection.write(b"d")
        await connection.flush(5)
        connection.write(b"e")
        await connection.read(5)

    async with serving(tmp_path, speak) as serving_on:
        with socket.create_connection(("127.0.0.1", serving_on.port)) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            found = [await loop.sock_recv(client, 100)]
            while b"e" not in found[-1]:
                found.append(await loop.sock_recv(client, 100))
            assert b"".join(found) == b"abcde"
            assert found[0] in (b"abcd", b"abcde")


async def test_a_read_that_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    async def impatient(connection: Connection) -> None:
        try:
            async with asyncio.timeout(0.01):
                await connection.read(60)
        except TimeoutError:
            connection.write(b"now")
        connection.write(await connection.read(5))

    async with serving(tmp_path, impatient) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        assert await client.read(5) == b"now"
        client.write(b"hello")
        assert await client.read(5) == b"hello"
        await client.close()


async def test_a_shorter_timeout_after_a_longer_one_holds(tmp_path: Path) -> None:
    timeouts: list[int] = []

    async def waiting(connection: Connection) -> None:
        await connection.read(60)
        connection.write(b"short")
        for timeout in (0.02, 0.01):
            try:
                await connection.read(timeout)
            except ReadTimeoutError:
                timeouts.append(1)
        connection.write(b"out")

    async with serving(tmp_path, waiting) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"x")
        found = b""
        while len(found) < 8:
            found += await client.read(5)
        assert found == b"shortout"
        assert timeouts == [1, 1]
        await client.close()
