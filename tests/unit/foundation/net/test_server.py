import asyncio
import ssl
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import (
    ConnectionLimitError,
    ListenError,
)
from support.eventually import eventually
from support.line_server import TOO_MANY, echo, serving


async def test_connections_over_the_limit_are_told_and_closed(tmp_path: Path) -> None:
    limits = NetworkSettings(connections_per_address=1, exempt=())
    async with serving(tmp_path, echo, limits=limits) as serving_on:
        first = await connect("127.0.0.1", serving_on.port, timeout=5)
        first.write(b"a")
        assert await first.read(5) == b"a"
        second = await connect("127.0.0.1", serving_on.port, timeout=5)
        assert await second.read(5) == TOO_MANY
        assert await second.read(5) == b""
        await first.close()
        await second.close()


async def test_a_unix_socket_carries_the_same(tmp_path: Path) -> None:
    path = f"unix:{tmp_path}/socket"
    async with serving(tmp_path, echo, host=path) as serving_on:
        assert serving_on.port == 0
        client = await connect(path, 0, timeout=5)
        client.write(b"hello")
        assert await client.read(5) == b"hello"
        await client.close()


async def test_one_crash_ends_one_session(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def crash(connection: Connection) -> None:
        if await connection.read(5) == b"crash":
            raise KeyError("bug")
        connection.write(b"fine")

    async with serving(tmp_path, crash) as serving_on:
        one, two = (
            await connect("127.0.0.1", serving_on.port, timeout=5),
            await connect("127.0.0.1", serving_on.port, timeout=5),
        )
        one.write(b"crash")
        assert await one.read(5) == b""
        two.write(b"go on")
        assert await two.read(5) == b"fine"
        await one.close()
        await two.close()


async def test_an_account_holds_only_so_many_connections(tmp_path: Path) -> None:
    async def login(connection: Connection) -> None:
        account = (await connection.read(5)).decode()
        try:
            await connection.hold_account(account)
        except ConnectionLimitError:
            connection.write(b"NO")
            return
        connection.write(b"OK")
        await connection.read(5)

    async def log_in(account: bytes) -> tuple[Connection, bytes]:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(account)
        return client, await client.read(5)

    async with serving(tmp_path, login, limits=NetworkSettings(connections_per_account=1)) as serving_on:
        alice, answer = await log_in(b"alice")
        assert answer == b"OK"
        again, answer = await log_in(b"alice")
        assert answer == b"NO"
        bob, answer = await log_in(b"bob")
        assert answer == b"OK"
        await alice.close()
        await again.close()
        await eventually(lambda: serving_on.value("connections") == 1)
        alice, answer = await log_in(b"alice")
        assert answer == b"OK"
        await alice.close()
        await bob.close()


@pytest.mark.parametrize("host", ["::1", "*", "localhost"])
async def test_listening_on_ipv6_and_on_everything(tmp_path: Path, host: str) -> None:
    async with serving(tmp_path, echo, host=host) as serving_on:
        for address in ["::1"] if host == "::1" else ["127.0.0.1", "::1"] if host == "*" else ["localhost"]:
            client = await connect(address, serving_on.port, timeout=5)
            assert client.peer.address in ("127.0.0.1", "::1")
            client.write(b"hello")
            assert await client.read(5) == b"hello"
            await client.close()


async def test_a_unix_socket_is_its_owners_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with serving(tmp_path, echo, host=f"unix:{path}"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


async def test_a_file_where_the_socket_should_be_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("keep me")
    with pytest.raises(ListenError, match="in use"):
        async with serving(tmp_path, echo, host=f"unix:{path}"):
            pass
    assert path.read_text() == "keep me"


async def test_sessions_that_do_not_end_are_cut_at_the_stop(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def stay(connection: Connection) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with serving(tmp_path, stay) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        await begun.wait()
        await serving_on.server.drain(0.01)
        assert await client.read(5) == b""
        assert serving_on.value("connections") == 0
        with pytest.raises(ConnectionRefusedError):
            await connect("127.0.0.1", serving_on.port, timeout=5)
        await client.close()


async def test_a_port_may_take_tls_and_none(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "detect") as running:
        plain = await connect("127.0.0.1", running.port, timeout=5)
        plain.write(b"in the clear")
        assert await plain.read(5) == b"in the clear"
        secured = await connect("127.0.0.1", running.port, timeout=5)
        context = ssl.create_default_context(cafile=running.authority)
        await secured.start_client_tls(context, "localhost", 5)
        secured.write(b"secret")
        assert await secured.read(5) == b"secret"
        await plain.close()
        await secured.close()


async def test_a_client_that_never_speaks_is_let_go(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "detect", NetworkSettings(tls_handshake_timeout=0.05)) as running:
        silent = await connect("127.0.0.1", running.port, timeout=5)
        assert await silent.read(10) == b""
        await silent.close()
