import ssl
import struct
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.proxy import SIGNATURE
from support.line_server import TOO_MANY, echo, serving

_ADDRESSES = bytes([192, 0, 2, 7, 192, 0, 2, 1]) + struct.pack("!HH", 4711, 25)
HEADERS = {
    1: b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n",
    2: SIGNATURE + b"\x21\x11" + struct.pack("!H", len(_ADDRESSES)) + _ADDRESSES,
}


@pytest.mark.parametrize("version", HEADERS)
@pytest.mark.parametrize("cut", [0, 5, 16, 20])
async def test_a_trusted_proxy_names_the_client(tmp_path: Path, cut: int, version: int) -> None:
    async def tell(connection: Connection) -> None:
        data = await connection.read(5)
        connection.write(f"{connection.peer.address}:{connection.peer.port} ".encode() + data)
        await connection.flush(5)

    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    header = HEADERS[version]
    async with serving(tmp_path, tell, limits=limits) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(header[:cut])
        await client.flush(5)
        client.write(header[cut:] + b"EHLO")
        assert await client.read(5) == b"192.0.2.7:4711 EHLO"
        await client.close()


async def test_what_is_no_proxy_header_is_cut(tmp_path: Path) -> None:
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    async with serving(tmp_path, echo, limits=limits) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"PROXY UNKNOWN 192.0.2.7 192.0.2.1 4711 25\r\n")
        assert await client.read(5) == b""
        await client.close()


async def test_a_listener_of_our_own_reads_no_proxy_header(tmp_path: Path) -> None:
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    async with serving(tmp_path, echo, limits=limits, proxy=False) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"LHLO")
        assert await client.read(5) == b"LHLO"
        await client.close()


async def test_a_proxy_that_says_nothing_is_cut(tmp_path: Path) -> None:
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",), proxy_timeout=0.05)
    async with serving(tmp_path, echo, limits=limits) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        assert await client.read(5) == b""
        await client.close()


async def test_limits_count_the_client_and_not_the_proxy(tmp_path: Path) -> None:
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",), connections_per_address=1, exempt=())

    def header(last: int) -> bytes:
        addresses = bytes([192, 0, 2, last, 192, 0, 2, 1]) + struct.pack("!HH", 4711, 25)
        return SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses)) + addresses

    async with serving(tmp_path, echo, limits=limits) as serving_on:
        clients = []
        for last, answer in ((7, b"hello"), (7, TOO_MANY), (8, b"hello")):
            client = await connect("127.0.0.1", serving_on.port, timeout=5)
            client.write(header(last) + b"hello")
            assert await client.read(5) == answer
            clients.append(client)
        for client in clients:
            await client.close()


async def test_a_proxy_header_comes_before_the_handshake(tmp_path: Path) -> None:
    async def tell(connection: Connection) -> None:
        assert connection.tls is not None
        connection.write(connection.peer.address.encode())

    addresses = bytes([192, 0, 2, 7, 192, 0, 2, 1]) + struct.pack("!HH", 4711, 25)
    limits = NetworkSettings(proxy_trusted=("127.0.0.0/8",))
    async with serving(tmp_path, tell, "implicit", limits) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses)) + addresses)
        await client.start_client_tls(
            ssl.create_default_context(cafile=str(serving_on.authority)), "mail.example.test", 5
        )
        assert await client.read(5) == b"192.0.2.7"
        await client.close()
