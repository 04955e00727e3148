"""HTTP on the socket host: what uvicorn leaves to its host, tried over real connections."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets

from mailstead.foundation.config.sections.http import HttpSettings
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.http.handler import DRAINING, http_handler
from support.eventually import eventually
from support.line_server import Serving, serving

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


async def _answer(send: Any, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    received = b""
    while True:
        message = await receive()
        received += message.get("body", b"")
        if not message.get("more_body"):
            break
    text = f"{scope['method']} {scope['scheme']} {scope['path']} {len(received)} {scope['client'][0]}"
    await _answer(send, text.encode())


@asynccontextmanager
async def http(
    folder: Path, app: Application, *, tls: Any = "none", network: NetworkSettings | None = None, **settings: Any
) -> AsyncIterator[Serving]:
    limits = network or NetworkSettings()
    async with serving(folder, http_handler(app, HttpSettings(**settings), limits), tls, limits) as running:
        yield running


async def _read_all(connection: Connection) -> bytes:
    received = b""
    while data := await connection.read(10):
        received += data
    return received


async def _response(connection: Connection) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        data = await connection.read(10)
        assert data, received
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += await connection.read(10)
    return body


async def test_requests_follow_on_one_connection_and_may_be_pipelined(tmp_path: Path) -> None:
    async with http(tmp_path, hello) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await _response(client)).startswith(b"GET http /a 0")
        client.write(b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.0\r\nHost: h\r\n\r\n")
        received = await _read_all(client)
        assert b"POST http /b 3" in received
        assert b"GET http /c 0" in received
        assert b"\r\ndate: " in received.lower()
        await client.close()


async def hasty(scope: dict[str, Any], _: Any, send: Any) -> None:
    await _answer(send, scope["path"].encode())


async def test_a_body_that_comes_after_its_answer_is_passed_over(tmp_path: Path) -> None:
    async with http(tmp_path, hasty, head_limit=4096) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        body = b"GET /smuggled HTTP/1.1\r\n\r\n" * 10_000
        client.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert await _response(client) == b"/a"
        client.write(body)
        client.write(b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        assert await _response(client) == b"/b"
        await client.close()


async def test_no_end_of_a_body_that_nobody_wants_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailstead.foundation.net.http.protocol._UNWANTED_MOST", 50_000)
    async with http(tmp_path, hasty, head_limit=4096) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        assert await _response(client) == b"/a"
        client.write(b"x" * 60_000)
        assert await _read_all(client) == b""
        await client.close()


HOSTILE = {
    "fields": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    "a field": b"GET / HTTP/1.1\r\nhost: h\r\na: " + b"x" * 5000 + b"\r\n\r\n",
    "a head without an end": b"GET / HTTP/1.1\r\na: " + b"x" * 100_000,
    "a target": b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nhost: h\r\n\r\n",
    "a second head": b"GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\na: " + b"x" * 100_000,
}


@pytest.mark.parametrize("request_text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_too_large_a_head_is_refused(tmp_path: Path, request_text: bytes) -> None:
    async with http(tmp_path, hello, head_limit=4096) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(request_text)
        received = await _read_all(client)
        assert b"HTTP/1.1 431 " in received or b"HTTP/1.1 414 " in received
        await client.close()


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n bad: continuation\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_with_400(tmp_path: Path, text: bytes) -> None:
    async with http(tmp_path, hello) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(text)
        assert (await _read_all(client)).startswith(b"HTTP/1.1 400 ")
        await client.close()


async def test_a_head_that_trickles_ends_at_its_deadline(tmp_path: Path) -> None:
    async with http(tmp_path, hello, head_timeout=0.3) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"GET / HTTP/1.1\r\n")

        async def trickle() -> None:
            while True:
                client.write(b"a: b\r\n")
                await asyncio.sleep(0.05)

        trickling = asyncio.ensure_future(trickle())
        assert await client.read(10) == b""
        trickling.cancel()
        await client.close()


async def test_a_body_that_pauses_ends_the_connection(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with http(tmp_path, app, body_timeout=0.1) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        assert await client.read(10) == b""
        await gone.wait()
        await client.close()


async def test_an_application_that_takes_long_is_waited_for(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await release.wait()
        await _answer(send, b"at last")

    async with http(tmp_path, app, head_timeout=0.05, body_timeout=0.05, keep_alive=0.2) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        asyncio.get_running_loop().call_later(0.5, release.set)
        assert await _response(client) == b"at last"
        await client.close()


async def test_a_slow_reader_holds_the_application_back(tmp_path: Path) -> None:
    sent = 0
    piece = b"x" * 64 * 1024

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)
        await send({"type": "http.response.body", "body": b""})

    async with http(tmp_path, app, network=NetworkSettings(write_timeout=0.3)) as running:
        peer = socket.create_connection(("127.0.0.1", running.port))
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        peer.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await eventually(lambda: running.value("connections") == 0)
        assert sent < 400 * len(piece)
        peer.close()


async def test_the_stop_finishes_answers_and_tells_long_ones(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        begun.set()
        await scope["state"][DRAINING].wait()
        await send({"type": "http.response.body", "body": b"last"})

    async with http(tmp_path, app) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        client.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await begun.wait()
        await running.server.drain(10)
        assert b"last" in await _read_all(client)
        await client.close()


async def test_a_client_that_leaves_is_told_to_the_application(tmp_path: Path) -> None:
    gone = asyncio.Event()
    begun = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with http(tmp_path, app) as running:
        peer = socket.create_connection(("127.0.0.1", running.port))
        peer.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await begun.wait()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        await asyncio.wait_for(gone.wait(), 10)


async def test_a_proxy_tells_the_client_and_tls_the_scheme(tmp_path: Path) -> None:
    async with http(tmp_path, hello, network=NetworkSettings(proxy_trusted=("127.0.0.0/8",))) as running:
        client = await connect("127.0.0.1", running.port, timeout=5)
        addresses = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.1") + struct.pack("!HH", 4321, 80)
        client.write(b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", len(addresses)) + addresses)
        client.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await _response(client)).endswith(b"192.0.2.7")
        await client.close()


async def test_websockets_answer_and_are_closed_by_the_stop(tmp_path: Path) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"] * 2})

    async with http(tmp_path, app, websocket_limit=1024) as running:
        async with websockets.connect(f"ws://127.0.0.1:{running.port}/") as client:
            await client.send("ab")
            assert await client.recv() == "abab"
            await client.send("x" * 2000)
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        async with websockets.connect(f"ws://127.0.0.1:{running.port}/") as client:
            await client.send("ab")
            assert await client.recv() == "abab"
            await running.server.drain(5)
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
