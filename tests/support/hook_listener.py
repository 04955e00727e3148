"""An HTTP server on loopback, in a thread of its own, that keeps the webhooks it gets."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass
class Listener:
    """What came: the header by names in lower case, and the body; `statuses` are answered first, then 200."""

    port: int = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    statuses: list[int] = field(default_factory=list)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        decoded = [msgspec.json.decode(body) for _, body in self.received]
        return [one for one in decoded if one["type"] == kind]

    def wait_for(self, kind: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.bodies(kind)) >= count, seconds), (kind, self.received)
        return self.bodies(kind)


@contextmanager
def hook_listener() -> Iterator[Listener]:
    """A listener that answers as long as this lasts."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            with listener.came:
                status = listener.statuses.pop(0) if listener.statuses else 200
                listener.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                listener.came.notify_all()
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
