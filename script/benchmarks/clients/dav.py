"""What a calendar client asks of a CalDAV server, over one connection that is kept."""

import base64
import http.client
import re
import time
from collections.abc import Callable

from benchmarks.clients import RefusedError

_NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_HREF = re.compile(rb"<(?:\w+:)?href>([^<]*\.ics)</(?:\w+:)?href>")
_TOKEN = re.compile(rb"<(?:\w+:)?sync-token>([^<]*)</(?:\w+:)?sync-token>")
_ATTEMPTS = 2
_BATCH = 100  # objects of one multiget


class Dav:
    """One connection; `path` is the calendar."""

    def __init__(self, port: int, path: str, user: str, password: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.path = path

    def ask(self, method: str, path: str, body: bytes = b"", depth: str = "1", kind: str = "application/xml") -> bytes:
        """The content of a good answer. Raises RefusedError."""
        headers = {"Authorization": self._authorization, "Depth": depth, "Content-Type": kind}
        for attempt in range(_ATTEMPTS):
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                break
            except (http.client.RemoteDisconnected, BrokenPipeError):
                self._connection.close()  # the server kept the connection for no longer
                if attempt + 1 == _ATTEMPTS:
                    raise
        content = answer.read()
        if answer.status >= 300:
            raise RefusedError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content

    def make(self) -> None:
        """Make the calendar."""
        self.ask("MKCALENDAR", self.path)

    def put(self, name: str, data: bytes) -> None:
        """Store one event."""
        self.ask("PUT", f"{self.path}{name}.ics", data, kind="text/calendar; charset=utf-8")

    def listed(self) -> int:
        """How many objects a PROPFIND of ETags finds."""
        body = f"<D:propfind {_NAMESPACES}><D:prop><D:getetag/></D:prop></D:propfind>"
        return len(_HREF.findall(self.ask("PROPFIND", self.path, body.encode())))

    def sync(self, token: str = "") -> tuple[list[str], str]:
        """What changed since a token, and the next token."""
        body = (
            f"<D:sync-collection {_NAMESPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        content = self.ask("REPORT", self.path, body.encode())
        found = _TOKEN.search(content)
        if found is None:
            raise RefusedError("there is no sync-token")
        return [href.decode() for href in _HREF.findall(content)], found[1].decode()

    def fetch(self, hrefs: list[str]) -> int:
        """How many objects a client gets that asks for all of them, some at a time."""
        count = 0
        for start in range(0, len(hrefs), _BATCH):
            asked = "".join(f"<D:href>{href}</D:href>" for href in hrefs[start : start + _BATCH])
            body = (
                f"<C:calendar-multiget {_NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{asked}"
                "</C:calendar-multiget>"
            )
            count += self.ask("REPORT", self.path, body.encode()).count(b"BEGIN:VEVENT")
        return count

    def within(self, start: str, end: str) -> int:
        """How many events of a range a calendar-query gives, with their data."""
        body = (
            f"<C:calendar-query {_NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
            '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
            f'<C:time-range start="{start}" end="{end}"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
        )
        return self.ask("REPORT", self.path, body.encode()).count(b"BEGIN:VEVENT")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that `work` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
