"""One HTTP/1.1 request over a connection of ours (RFC 9112): to addresses that the caller chose, size and time bounded.

No redirect is followed and no proxy is asked: who calls decides where the octets go.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence

import httptools
import msgspec

from mailstead.foundation.errors import InvalidError, TemporaryError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DisconnectedError

_HEADER_ROOM = 16 * 1024
_ADDRESSES_TRIED = 4


class HttpError(TemporaryError):
    """What came back is no answer, or is too large."""

    public_text = "No HTTP answer"


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to `host`; `path` with its query. Length, Host and Connection are added."""

    method: str
    host: str
    port: int
    path: str
    headers: Mapping[str, str] = {}
    body: Sequence[bytes] = ()

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (80, 443) else f"{host}:{self.port}"


class HttpAnswer(msgspec.Struct, frozen=True):
    """Status, fields with names in lower case (the last of each), and content."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Collector:
    """Collects what httptools calls back."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        # an answer of the 100s is followed by the one that counts (RFC 9110 §15.2)
        self.is_complete = self.parser.get_status_code() >= 200


async def send_request(
    request: HttpRequest, addresses: Iterable[str], context: ssl.SSLContext | None, *, timeout: float, size_limit: int
) -> HttpAnswer:
    """The answer of the first of `addresses` that takes a connection; over TLS with `context`, which verifies the host.

    All of it within `timeout` seconds; the answer's content has at most `size_limit` octets. Raises OSError (TimeoutError
    included), HttpError, StartTLSError, DisconnectedError, InvalidError for a field with a line break or not in ASCII.
    """
    async with asyncio.timeout(timeout):
        connection = await _connected(list(addresses)[:_ADDRESSES_TRIED], request.port, timeout)
        try:
            if context is not None:
                await connection.start_client_tls(context, request.host, timeout)
            await _send(connection, request, timeout)
            return await _receive(connection, request.host, timeout, size_limit)
        finally:
            connection.abort()


async def _connected(addresses: list[str], port: int, timeout: float) -> Connection:
    last: OSError = OSError("no address to connect to")
    for address in addresses:
        try:
            return await connect(address, port, timeout=timeout / len(addresses))
        except OSError as error:
            last = error
    raise last


async def _send(connection: Connection, request: HttpRequest, timeout: float) -> None:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {request.authority}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body or request.method in ("POST", "PUT"):
        lines.append(f"Content-Length: {sum(len(piece) for piece in request.body)}")
    for line in lines:
        if not line.isascii() or not line.isprintable():  # a line break would begin another field (RFC 9110 §5.5)
            raise InvalidError(f"{line[:100]!r} is no line of a request")
    connection.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
    try:
        for piece in request.body:
            connection.write(piece)
            await connection.flush(timeout)
        await connection.flush(timeout)
    except DisconnectedError:
        pass  # a server may answer and leave before it read all: the answer may be there


async def _receive(connection: Connection, host: str, timeout: float, size_limit: int) -> HttpAnswer:
    response = _Collector()
    received = 0
    while not response.is_complete:
        data = await connection.read(timeout)
        received += len(data)
        try:
            response.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise HttpError(f"{host} gave no HTTP answer") from error
        if received > size_limit + _HEADER_ROOM or len(response.body) > size_limit:
            raise HttpError(f"the answer of {host} is too large, more than {size_limit} octets")
        if not data:
            break  # the end of content without a length (RFC 9112 §6.3)
    status = response.parser.get_status_code()
    if not status:
        raise HttpError(f"{host} gave no HTTP answer")
    if not response.is_complete and "content-length" in response.headers:
        raise HttpError(f"{host} left in the middle of its answer")
    return HttpAnswer(status, response.headers, bytes(response.body))
