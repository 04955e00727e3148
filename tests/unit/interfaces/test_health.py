import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstead.foundation.config.sections.health import HealthSettings
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.server import LineServer, Listener
from mailstead.interfaces.health import health_handler

LIMITS = HealthSettings(request_timeout=5, request_limit=1024)


@asynccontextmanager
async def endpoint(problems: Mapping[str, str] | None = None, limits: HealthSettings = LIMITS) -> AsyncIterator[int]:
    metrics = Metrics()
    metrics.counter("messages_received", "Messages received", ("service",)).labels("mx").inc(3)

    async def ready() -> Mapping[str, str]:
        return problems or {}

    server = LineServer(
        "metrics",
        health_handler(metrics, ready, limits),
        [Listener("metrics", "127.0.0.1", 0, proxy=False)],
        contexts=None,
        limits=NetworkSettings(),
        too_many=b"",
        metrics=metrics,
    )
    ports = await server.start()
    try:
        yield ports["metrics"]
    finally:
        await server.drain(5)


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def get(port: int, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    answer = await exchange(port, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), content


async def test_metrics_are_in_prometheus_text_format() -> None:
    async with endpoint() as port:
        status, head, content = await get(port, "/metrics?x=1")
        assert status == 200
        assert "Content-Type: text/plain; version=0.0.4" in head
        assert f"Content-Length: {len(content)}" in head
        assert b'mailstead_messages_received_total{service="mx"} 3.0' in content


async def test_health_tells_alive_and_ready() -> None:
    async with endpoint({"documents": ""}) as port:
        assert (await get(port, "/health/live"))[::2] == (200, b"alive\n")
        status, _, content = await get(port, "/health/ready")
        assert status == 200
        assert json.loads(content) == {"ready": True, "checks": {"documents": ""}}
        status, head, content = await get(port, "/health/ready", "HEAD")
        assert (status, content) == (200, b"")
        assert "Content-Length: 0" not in head


async def test_a_failed_check_is_503_and_named() -> None:
    async with endpoint({"documents": "", "bus": "connection lost"}) as port:
        status, _, content = await get(port, "/health/ready")
        assert status == 503
        assert json.loads(content)["checks"]["bus"] == "connection lost"
        assert (await get(port, "/health/live"))[0] == 200


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (b"GET /other HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../metrics HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET  /metrics HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/2.0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000, b"431"),
        (b"\r\nGET /health/live HTTP/1.0\r\n\r\n", b"200"),
    ],
)
async def test_bad_requests_get_their_status(request_octets: bytes, status: bytes) -> None:
    async with endpoint() as port:
        answer = await exchange(port, request_octets)
        assert answer.split()[1] == status
        assert (await get(port, "/health/live"))[0] == 200


async def test_a_request_that_never_ends_is_cut() -> None:
    async with endpoint(limits=HealthSettings(request_timeout=0.05)) as port:
        assert await exchange(port, b"GET /metrics HTTP/1.1\r\n") == b""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(noise=st.binary(max_size=2000))
def test_any_octets_get_an_answer_or_the_end(noise: bytes) -> None:
    async def run() -> None:
        async with endpoint() as port:
            answer = await exchange(port, noise + b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 ")

    with asyncio.Runner() as runner:
        runner.run(run())
