import asyncio
import ssl
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DisconnectedError, StartTLSError
from support.eventually import eventually
from support.line_server import echo, serving


async def test_echo_under_tls_with_a_verified_certificate(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "implicit") as serving_on:
        context = ssl.create_default_context(cafile=str(serving_on.authority))
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
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

    async with serving(tmp_path, starttls, "starttls") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\nINJECTED\r\n")
        found = b""
        while data := await client.read(5):
            found += data
        assert found == b"go\r\n"
        assert refused == [True]
        await client.close()


async def test_a_hello_that_comes_at_once_is_never_taken_for_plain_input(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "implicit") as serving_on:
        context = ssl.create_default_context(cafile=str(serving_on.authority))

        async def dial() -> None:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", serving_on.port, ssl=context, server_hostname="localhost"
            )
            writer.write(b"hello")
            assert await reader.read(5) == b"hello"
            writer.close()
            await writer.wait_closed()

        for _ in range(5):
            await asyncio.gather(*(dial() for _ in range(10)))
        assert serving_on.value("tls_handshakes_failed_total") == 0


async def test_plain_octets_on_a_tls_port_end_that_connection_only(tmp_path: Path) -> None:
    async with serving(tmp_path, echo, "implicit") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"EHLO example.test\r\n")
        while await client.read(5):
            pass
        await eventually(lambda: serving_on.value("tls_handshakes_failed_total") == 1)
        await eventually(lambda: serving_on.value("connections") == 0)
        await client.close()


async def test_a_handshake_that_never_comes_is_cut(tmp_path: Path) -> None:
    limits = NetworkSettings(tls_handshake_timeout=0.05)
    async with serving(tmp_path, echo, "implicit", limits) as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        assert await client.read(5) == b""
        await client.close()


async def starttls(connection: Connection) -> None:
    assert await connection.read(5) == b"STARTTLS\r\n"
    connection.write(b"go\r\n")
    await connection.start_tls()
    await echo(connection)


async def test_starttls_then_the_session_goes_on_under_tls(tmp_path: Path) -> None:
    async with serving(tmp_path, starttls, "starttls") as serving_on:
        context = ssl.create_default_context(cafile=str(serving_on.authority))
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\n")
        assert await client.read(5) == b"go\r\n"
        await client.start_client_tls(context, "127.0.0.1", 5)
        client.write(b"x" * 700_000)
        found = 0
        while found < 700_000:
            found += len(await client.read(5))
        with pytest.raises(StartTLSError):
            await client.start_client_tls(context, "127.0.0.1", 5)
        await client.close()


async def test_octets_sent_right_behind_the_command_break_the_handshake_and_are_never_read(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def listen(connection: Connection) -> None:
        heard.append(await connection.read(5))
        connection.write(b"go\r\n")
        await connection.start_tls()
        heard.append(await connection.read(5))

    async with serving(tmp_path, listen, "starttls") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\n")
        assert await client.read(5) == b"go\r\n"
        client.write(b"MAIL FROM:<mallory@example.test>\r\n")
        while await client.read(5):
            pass
        await client.close()
        await eventually(lambda: serving_on.value("connections") == 0)
    assert heard == [b"STARTTLS\r\n"]


async def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    async with serving(tmp_path, starttls, "none") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\n")
        assert await client.read(5) == b"go\r\n"
        assert await client.read(5) == b""
        await client.close()


async def test_a_refused_certificate_is_an_error_of_the_handshake(tmp_path: Path) -> None:
    async with serving(tmp_path, starttls, "starttls") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\n")
        assert await client.read(5) == b"go\r\n"
        with pytest.raises(StartTLSError, match="certificate"):
            await client.start_client_tls(ssl.create_default_context(), "mail.example.test", 5)


async def test_what_is_said_after_a_handshake_that_failed_is_dropped_and_told(tmp_path: Path) -> None:
    ends: list[str] = []

    async def stubborn(connection: Connection) -> None:
        assert await connection.read(5) == b"STARTTLS\r\n"
        connection.write(b"go\r\n")
        with pytest.raises(StartTLSError):
            await connection.start_tls()
        connection.write(b"sorry\r\n")
        try:
            await connection.flush(5)
        except DisconnectedError:
            ends.append("told")
            raise

    async with serving(tmp_path, stubborn, "starttls") as serving_on:
        client = await connect("127.0.0.1", serving_on.port, timeout=5)
        client.write(b"STARTTLS\r\n")
        assert await client.read(5) == b"go\r\n"
        client.write(b"no hello at all, and long enough to be seen as none\r\n")
        while await client.read(5):
            pass
        await client.close()
        await eventually(lambda: ends == ["told"])
