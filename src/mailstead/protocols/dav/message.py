"""A request and its response, apart from any connection."""

from collections.abc import AsyncIterator, Mapping

import msgspec

XML = "application/xml; charset=utf-8"


class Request(msgspec.Struct, frozen=True):
    """`path` is the target's path as it came, still encoded; names of header fields are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    host: str = ""
    query: str = ""

    def header(self, name: str) -> str:
        """The field's value, empty without one."""
        return self.headers.get(name, "").strip()


class Response(msgspec.Struct, frozen=True):
    """A response; `stream` follows `body` when there is one."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = ""
    stream: AsyncIterator[bytes] | None = None
    closes: bool = False
