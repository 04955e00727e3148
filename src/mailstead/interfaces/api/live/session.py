"""One WebSocket: let in as every request is, told of changes, closed when its credential is worth nothing more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import asgi
from litestar.types import Receive, Scope, Send

from mailstead.foundation.errors import MailsteadError, PermissionDeniedError
from mailstead.foundation.net.http.handler import DRAINING
from mailstead.interfaces.api.access import MAILBOX, SERVICES, Connection, let_in, let_in_again
from mailstead.interfaces.api.live.watch import Watch
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.problems import described
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.mail.outbound.telling import SentChange, sent_channel
from mailstead.stores.directory.directory import CHANNEL as DIRECTORY

log = structlog.get_logger("mailstead.api")
_LOOK_AGAIN = 60.0  # for credentials and for news that were lost on the way
_WAITING_MOST = 1000
_GOING_AWAY, _LOGGED_OUT = 1001, 4401


@asgi("/ws", opt={"access": MAILBOX}, copy_scope=False)
async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """/ws: events of the mailbox in JSON, or in MessagePack with `msgpackr=true`; what the client says is ignored."""
    connection: Connection = ASGIConnection(scope, receive, send)
    if scope["type"] != ScopeType.WEBSOCKET:
        await _answer(send, "http.response", 426, {"upgrade": "websocket"})
        return
    await receive()  # websocket.connect
    services: ApiServices = connection.app.state[SERVICES]
    try:
        identity = await let_in(connection, services, MAILBOX)
        _check_origin(connection, identity)
        services.sockets.enter(identity.mailbox_id)
    except MailsteadError as error:
        await _answer(send, "websocket.http.response", error.http_status, {}, error)
        return
    try:
        await _Session(connection, services, identity, receive, send).run()
    finally:
        services.sockets.leave(identity.mailbox_id)


def _check_origin(connection: Connection, identity: Identity) -> None:
    """Cookies come from pages of other sites, too (RFC 6455 §10.2). Raises PermissionDeniedError."""
    origin = urlsplit(connection.headers.get("origin", "")).netloc
    if identity.session is not None and origin != connection.headers.get("host", ""):
        raise PermissionDeniedError("This page is not of this server")


async def _answer(
    send: Send, kind: str, status: int, headers: dict[str, str], error: MailsteadError | None = None
) -> None:
    """An answer instead of the upgrade."""
    body, more = described(status, error)
    all_headers = headers | more | {"content-length": str(len(body))}
    fields = [(name.encode(), value.encode()) for name, value in all_headers.items()]
    start: Any = {"type": f"{kind}.start", "status": status, "headers": fields}
    whole: Any = {"type": f"{kind}.body", "body": body, "more_body": False}
    await send(start)
    await send(whole)


class _Session:
    def __init__(
        self, connection: Connection, services: ApiServices, identity: Identity, receive: Receive, send: Send
    ) -> None:
        self._connection = connection
        self._services = services
        self._identity = identity
        self._receive = receive
        self._send = send
        self._is_binary = connection.query_params.get("msgpackr") == "true"
        self._news = asyncio.Event()
        self._is_changed = self._is_doubted = False
        self._sent: list[SentChange] = []

    async def run(self) -> None:
        """Until either side ends it."""
        loop = asyncio.get_running_loop()
        assert self._identity.key is not None
        mailbox = await self._services.mailboxes.open(self._identity.mailbox_id, self._identity.key)
        bus = self._services.bus
        async with AsyncExitStack() as stack:
            channels: list[tuple[str, Callable[[str, bytes], None]]] = [
                (f"mailbox.{self._identity.mailbox_id}", self._changed),
                (sent_channel(self._identity.address), self._sent_changed),
                (DIRECTORY, self._doubt),
            ]
            for channel, heard in channels:
                stack.callback((await bus.subscribe(channel, heard, on_gap=self._gap)).close)
            watch = Watch(mailbox)
            await self._services.mailboxes.run(watch.begin)  # after the subscription: nothing falls in between
            await self._send_raw({"type": "websocket.accept"})
            await self._tell("connected", {"email": self._identity.address})
            ended = loop.create_task(self._listen())
            working = loop.create_task(self._work(watch))
            draining = loop.create_task(self._connection.scope["state"][DRAINING].wait())
            tasks: set[asyncio.Task[Any]] = {ended, working, draining}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if ended.done() and not ended.cancelled():
                return
            code = _GOING_AWAY if draining.done() and not draining.cancelled() else _LOGGED_OUT
            await self._send_raw({"type": "websocket.close", "code": code})
            if working.done() and not working.cancelled() and (error := working.exception()) is not None:
                log.warning("live events ended", why=str(error))

    def _changed(self, _: str, __: bytes) -> None:
        self._is_changed = True
        self._news.set()

    def _doubt(self, _: str, __: bytes) -> None:
        self._is_doubted = True
        self._news.set()

    def _gap(self) -> None:
        self._is_changed = self._is_doubted = True
        self._news.set()

    def _sent_changed(self, _: str, payload: bytes) -> None:
        if len(self._sent) < _WAITING_MOST:
            self._sent.append(msgspec.json.decode(payload, type=SentChange))
        self._news.set()

    async def _listen(self) -> None:
        """What the client says is ignored until it leaves."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass

    async def _work(self, watch: Watch) -> None:
        """Tell what there is to tell; ends when the credential does not open the mailbox any more."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._news.wait()
            except TimeoutError:
                self._is_changed = self._is_doubted = True
            self._news.clear()
            if self._is_doubted:
                self._is_doubted = False
                if not await let_in_again(self._connection, self._services, self._identity):
                    return
            sent, self._sent = self._sent, []
            for change in sent:
                await self._tell("emailStatus", msgspec.to_builtins(change))
            if self._is_changed:
                self._is_changed = False
                for event, data in await self._services.mailboxes.run(watch.look):
                    await self._tell(event, data)

    async def _tell(self, event: str, data: dict[str, Any]) -> None:
        frame = {"event": event, "timestamp": moment(self._services.clock.now()), **data}
        if self._is_binary:
            await self._send_raw({"type": "websocket.send", "bytes": msgspec.msgpack.encode(frame)})
        else:
            await self._send_raw({"type": "websocket.send", "text": msgspec.json.encode(frame).decode()})

    async def _send_raw(self, message: dict[str, Any]) -> None:
        send: Callable[[Any], Awaitable[None]] = self._send
        await send(message)
