"""uvicorn's HTTP/1.1 protocol with the limits that it leaves to others, and what the host has to know of its state."""

import asyncio
from email.utils import formatdate
from typing import Any, Literal, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mailstead.foundation.config.sections.http import HttpSettings

_SLICE = 16 * 1024
_UNWANTED_MOST = 64 * 1024 * 1024  # octets of a body that come after the answer, before the connection ends
Waiting = Literal["head", "body", "next", "answer"]


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection; the head of a request is bounded in octets and fields (RFC 9110 §5.4, RFC 6585 §5)."""

    settings = HttpSettings()

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head = self._received = 0
        self._in_head = self._in_body = False
        self._begun = False
        self._unwanted = 0

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.timeout_keep_alive = int(self.settings.keep_alive) + 1  # the host's own timer comes first

    def waiting(self) -> Waiting:
        """What the connection waits for: the rest of a head or body, another request, or the application."""
        if self._in_head:
            return "head"
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            return "next" if self._begun else "head"
        if cycle.response_complete:
            return "body" if self._in_body else "next"
        return "body" if cycle.more_body else "answer"

    def data_received(self, data: bytes) -> None:
        """Octets arrived; a head that does not end is refused soon after the limit, counted in slices."""
        if self.waiting() in ("head", "next"):
            self._in_head = True
        piece = min(_SLICE, self.settings.head_limit)
        for start in range(0, len(data), piece):
            part = data[start : start + piece]
            reader = cast(asyncio.Protocol, self.transport.get_protocol())
            if reader is not self:
                reader.data_received(part)
                continue
            super().data_received(part)
            if self._in_head:
                self._received += len(part)
                if self._received > self.settings.head_limit + piece:
                    self._refuse(431)
            elif self._in_body and self.cycle is not None and self.cycle.response_complete:
                self._unwanted += len(part)  # many clients read no answer before their body is sent
                if self._unwanted > _UNWANTED_MOST:
                    self.transport.close()
            if self.transport.is_closing():
                return

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = self._begun = True
        self._head = self._received = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        if len(self.url) + len(url) > self.settings.head_limit:
            self._refuse(414)
            return
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        self._head += len(name) + len(value)
        if self._head > self.settings.head_limit or len(self.headers) >= self.settings.fields_limit:
            self._refuse(431)
            return
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; the response gets a Date (RFC 9110 §6.6.1)."""
        self._in_head, self._received = False, 0
        self._in_body, self._unwanted = True, 0
        if not self.transport.is_closing() and b"#" in self.url:
            self._refuse(400)  # no target has a fragment (RFC 9112 §3.2); taken without it, it would be another one
        if self.transport.is_closing():
            return
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        if self.cycle is not None:
            super().on_message_complete()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        text = STATUS_LINE[status][9:-2]
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINE[status] + head + text)
        self.transport.close()
