"""Metrics and health over HTTP/1.1, for Prometheus and for whoever restarts services.

    GET /metrics        all metrics in Prometheus' text format
    GET /health/live    200 while the process answers
    GET /health/ready   200 when every check passes, else 503; the checks as JSON

One request per connection. The request is read up to a limit of size and time, and only its first line means anything
here (RFC 9112 §3); content is never read.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec

from mailstead.foundation.config.sections.health import HealthSettings
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.server import Handler

Checks = Callable[[], Awaitable[Mapping[str, str]]]
"""What the service depends on, by name; an empty text is well, another one says what is wrong."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.[0-9]")
_END = b"\r\n\r\n"
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class Response(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: HTTPStatus
    content: bytes
    content_type: str = _TEXT
    allow: str = ""

    def encode(self, *, head: bool) -> bytes:
        """The octets to send, without the content for HEAD (RFC 9110 §9.3.2)."""
        fields = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.content)}",
            *([f"Allow: {self.allow}"] if self.allow else []),
            "Cache-Control: no-store",
            "Connection: close",
        ]
        return "\r\n".join(fields).encode() + _END + (b"" if head else self.content)


class _Endpoint:
    def __init__(self, metrics: Metrics, ready: Checks) -> None:
        self._metrics = metrics
        self._ready = ready
        self._paths = {"/metrics": self._exposition, "/health/live": self._live, "/health/ready": self._readiness}

    async def respond(self, method: str, target: str) -> Response:
        path = self._paths.get(target.partition("?")[0])
        if path is None:
            return _plain(HTTPStatus.NOT_FOUND)
        if method not in ("GET", "HEAD"):
            return Response(HTTPStatus.METHOD_NOT_ALLOWED, b"Method Not Allowed\n", allow="GET, HEAD")
        return await path()

    async def _exposition(self) -> Response:
        return Response(HTTPStatus.OK, self._metrics.exposition(), _EXPOSITION)

    async def _live(self) -> Response:
        return Response(HTTPStatus.OK, b"alive\n")

    async def _readiness(self) -> Response:
        checks = dict(await self._ready())
        ready = not any(checks.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(status, msgspec.json.encode({"ready": ready, "checks": checks}) + b"\n", _JSON)


def health_handler(metrics: Metrics, ready: Checks, settings: HealthSettings) -> Handler:
    """The handler of a metrics listener (`Listener("metrics", host, port, proxy=False)`)."""
    endpoint = _Endpoint(metrics, ready)

    async def handle(connection: Connection) -> None:
        request = await _read_request(connection, settings)
        if request is None:
            return
        if isinstance(request, HTTPStatus):
            response, method = _plain(request), ""
        else:
            method, target = request
            response = await endpoint.respond(method, target)
        connection.write(response.encode(head=method == "HEAD"))
        await connection.flush(settings.request_timeout)

    return handle


async def _read_request(connection: Connection, settings: HealthSettings) -> tuple[str, str] | HTTPStatus | None:
    """Method and target, or the status of what is wrong; None when the peer left before it sent a request."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.request_timeout
    received = b""
    while _END not in received:
        if len(received) > settings.request_limit:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        data = await connection.read(max(0.0, deadline - loop.time()))
        if not data:
            return None
        received += data
    found = _REQUEST_LINE.fullmatch(received.lstrip(b"\r\n").partition(b"\r\n")[0])
    if found is None:
        return HTTPStatus.BAD_REQUEST
    return found[1].decode("ascii"), found[2].decode("ascii")


def _plain(status: HTTPStatus) -> Response:
    return Response(status, f"{status.phrase}\n".encode())
