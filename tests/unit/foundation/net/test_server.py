import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DrainingError, ReadTimeoutError, StartTLSError
from mailstead.foundation.net.proxy import SIGNATURE
from mailstead.foundation.net.server import LineServer, Listener
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts


@asynccontextmanager
async def serving(
    folder: Path,
    handler: Callable[[Connection], Awaitable[None]],
    tls: str = "none",
    limits: NetworkSettings | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[tuple[LineServer, int, Path]]:
    authority = ensure_local_authority(folder / "tls", ("mail.example.test", "127.0.0.1"))
    server = LineServer(
        "echo",
        handler,
        [Listener("echo", host, 0, tls)],  # type: ignore[arg-type] # a Literal by the callers
        contexts=TLSContexts(folder / "tls", TlsSettings()),
        limits=limits or NetworkSettings(),
        too_many=b"too many\r\n",
        metrics=Metrics(),
    )
    ports = await server.start()
    try:
        yield server, ports["echo"], authority
    finally:
        await server.drain(0.2)


async def echo(connection: Connection) -> None:
    while data := await connection.read(5):
        connection.write(data)
        await connection.flush(5)


async def test_echo_in_the_clear(tmp_path: Path) -> None:
    async with serving(tmp_path, echo) as (_, port, _authority):
        client = await connect("127.0.0.1", port, timeout=5)
        client.write(b"one ")
        client.write(b"two")
        found = b""
        while len(found) < 7:
            found += await client.read(5)
        assert found == b"one two"
        await client.close()


async def test_echo_under_tls_with_a_verified_certificate(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "implicit") as (_, port, authority):
        context = ssl.create_default_context(cafile=str(authority))
        client = await connect("127.0.0.1", port, timeout=5)
        await client.start_client_tls(context, "mail.example.test", 5)
        assert client.tls is not None
        assert client.tls.version in ("TLSv1.2", "TLSv1.3")
        client.write(b"x" * 1_000_000)
        found = 0
        while found < 1_000_000:
            found += len(await client.read(5))
        await client.close()


async def test_bytes_before_the_handshake_end_the_connection(tmp_path: Path) -> None:
    refused: list[bool] = []

    async def starttls(connection: Connection) -> None:
        command = await connection.read(5)
        assert command.startswith(b"STARTTLS\r\n")
        connection.unread(command.partition(b"\r\n")[2])
        connection.write(b"go\r\n")
        try:
            await connection.start_tls()
        except StartTLSError:
            refused.append(True)
            raise

    async with serving(tmp_path, starttls, "starttls") as (_, port, _authority):
        client = await connect("127.0.0.1", port, timeout=5)
        client.write(b"STARTTLS\r\nINJECTED\r\n")
        found = b""
        while data := await client.read(5):
            found += data
        assert found == b"go\r\n"
        assert refused == [True]
        await client.close()


async def test_connections_over_the_limit_are_told_and_closed(tmp_path: Path) -> None:
    limits = NetworkSettings(connections_per_address=1, exempt=())
    async with serving(tmp_path, echo, limits=limits) as (_, port, _authority):
        first = await connect("127.0.0.1", port, timeout=5)
        first.write(b"a")
        assert await first.read(5) == b"a"
        second = await connect("127.0.0.1", port, timeout=5)
        assert await second.read(5) == b"too many\r\n"
        assert await second.read(5) == b""
        await first.close()
        await second.close()


@pytest.mark.parametrize("cut", [0, 5, 16, 20])
async def test_a_trusted_proxy_names_the_client(tmp_path: Path, cut: int) -> None:
    async def tell(connection: Connection) -> None:
        data = await connection.read(5)
        connection.write(f"{connection.peer.address}:{connection.peer.port} ".encode() + data)
        await connection.flush(5)

    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    addresses = bytes([192, 0, 2, 7, 192, 0, 2, 1]) + struct.pack("!HH", 4711, 25)
    header = SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses)) + addresses
    async with serving(tmp_path, tell, limits=limits) as (_, port, _authority):
        client = await connect("127.0.0.1", port, timeout=5)
        client.write(header[:cut])
        await client.flush(5)
        client.write(header[cut:] + b"EHLO")
        assert await client.read(5) == b"192.0.2.7:4711 EHLO"
        await client.close()


async def test_what_is_no_proxy_header_is_cut(tmp_path: Path) -> None:
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    async with serving(tmp_path, echo, limits=limits) as (_, port, _authority):
        client = await connect("127.0.0.1", port, timeout=5)
        client.write(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n")
        assert await client.read(5) == b""
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

    async with serving(tmp_path, wait) as (server, port, _authority):
        client = await connect("127.0.0.1", port, timeout=5)
        await begun.wait()
        await server.drain(5)
        assert await client.read(5) == b"bye\r\n"
        await client.close()
    assert ended == [ReadTimeoutError, DrainingError]


async def test_a_unix_socket_carries_the_same(tmp_path: Path) -> None:
    path = f"unix:{tmp_path}/socket"
    async with serving(tmp_path, echo, host=path) as (_, port, _authority):
        assert port == 0
        client = await connect(path, 0, timeout=5)
        client.write(b"hello")
        assert await client.read(5) == b"hello"
        await client.close()


async def test_one_crash_ends_one_session(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def crash(connection: Connection) -> None:
        if await connection.read(5) == b"crash":
            raise KeyError("bug")
        connection.write(b"fine")

    async with serving(tmp_path, crash) as (_, port, _authority):
        one, two = await connect("127.0.0.1", port, timeout=5), await connect("127.0.0.1", port, timeout=5)
        one.write(b"crash")
        assert await one.read(5) == b""
        two.write(b"go on")
        assert await two.read(5) == b"fine"
        await one.close()
        await two.close()
