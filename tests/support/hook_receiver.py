"""An HTTP server on loopback that receives webhooks, over TLS with a local authority."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from mailstead.foundation.tls.authority import ensure_local_authority


class Received(msgspec.Struct, frozen=True):
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


class HookReceiver:
    """Answers `answers` in order, the last of them for ever; keeps what it received."""

    def __init__(self, authority: Path | None) -> None:
        self.authority = authority
        self.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        self.received: list[Received] = []
        self.port = 0
        self.came = asyncio.Condition()

    def says(self, *statuses: str, more: str = "") -> None:
        self.answers = [f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n{more}\r\n".encode() for status in statuses]

    async def wait_for(self, count: int) -> None:
        async with self.came, asyncio.timeout(20):
            await self.came.wait_for(lambda: len(self.received) >= count)

    def context(self) -> ssl.SSLContext:
        assert self.authority is not None
        return ssl.create_default_context(cafile=str(self.authority))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            async with self.came:
                self.received.append(Received(line, headers, body))
                self.came.notify_all()
            writer.write(answer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@asynccontextmanager
async def hook_receiver(folder: Path | None, host: str = "hooks.example.test") -> AsyncIterator[HookReceiver]:
    """A receiver for `host` with its certificate in `folder`; without TLS when that is None."""
    context = None
    authority = None
    if folder is not None:
        authority = ensure_local_authority(folder, (host,))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    receiver = HookReceiver(authority)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
