"""The DAV server as an ASGI application."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import AuthenticationError, LimitExceededError, MailsteadError
from mailstead.interfaces.credentials import InsecureError, basic_credentials, may_be_taken
from mailstead.interfaces.dav.published import PREFIX as PUBLISHED
from mailstead.interfaces.dav.published import PublishedCalendars
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.hrefs import PREFIX
from mailstead.protocols.dav.message import Request, Response
from mailstead.protocols.dav.server import DavServer, refusal
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.records import Account

WELL_KNOWN = ("/.well-known/caldav", "/.well-known/carddav")
"""Where clients begin (RFC 6764 §5)."""
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="Mailstead", charset="UTF-8"')


class DavApplication:
    """ASGI 3; `service` is the name that failed logins are counted and logged under."""

    def __init__(
        self,
        server: DavServer,
        authenticator: Authenticator,
        settings: Settings,
        service: str,
        published: PublishedCalendars | None = None,
    ) -> None:
        self._server = server
        self._authenticator = authenticator
        self._settings = settings
        self._service = service
        self._published = published

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        method: str = scope["method"]
        response = await self._respond(scope, method, receive)
        await _send(send, response, with_body=method != "HEAD")

    async def _respond(self, scope: Any, method: str, receive: Any) -> Response:
        path: str = scope["raw_path"].decode("latin-1")
        if path.rstrip("/") in WELL_KNOWN:
            return Response(301, (("Location", PREFIX), ("Cache-Control", "no-cache")))
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self._published is not None and path.startswith(PUBLISHED):
            try:
                return await self._published.respond(method, path, headers.get("if-none-match", ""))
            except MailsteadError as error:
                return refusal(error)
        if method == "OPTIONS" and "authorization" not in headers:
            return self._server.options()
        try:
            account = await self._account(scope, headers)
        except AuthenticationError as error:
            return Response(401, (_CHALLENGE,), f"{error.public_text}\n".encode(), "text/plain; charset=utf-8")
        except LimitExceededError as error:
            return Response(429, (("Retry-After", "60"),), f"{error.public_text}\n".encode())
        except MailsteadError as error:
            return refusal(error)
        try:
            body = await _body(receive, headers, self._server.body_limit(method))
            if body is None:
                raise self._server.too_large(method, path)
            host = headers.get("host", "")
            query = scope["query_string"].decode("latin-1")
            return await self._server.respond(Request(method, path, headers, body, host, query), account)
        except DavError as error:
            return refusal(error)
        finally:
            account.key.close()

    async def _account(self, scope: Any, headers: dict[str, str]) -> Account:
        """Who asks. Raises AuthenticationError, TooManyFailuresError, InsecureError, DavError."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if not may_be_taken(scope["scheme"], peer, insecure_auth=self._settings.server.insecure_auth):
            raise InsecureError
        origin = headers.get("origin")
        if origin and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            raise DavError(403, "Pages of other sites cannot ask here")
        scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "basic":
            raise AuthenticationError
        login, password = basic_credentials(rest)
        return await self._authenticator.authenticate(login, password, service=self._service, peer=peer)


async def _body(receive: Any, headers: dict[str, str], limit: int) -> bytes | None:
    """The request's body; None for one of more than `limit` octets, which are not read then. Raises DavError."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > limit):
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DavError(400, "The request was cut off", closes=True)
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Any, response: Response, *, with_body: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.content_type:
        headers.append((b"content-type", response.content_type.encode("latin-1")))
    if response.stream is None and response.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(response.body)))
    if response.closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.stream is None or not with_body:
        await send({"type": "http.response.body", "body": response.body if with_body else b""})
        return
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _send_stream(send, response.stream)


async def _send_stream(send: Any, stream: AsyncIterator[bytes]) -> None:
    async for chunk in stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
