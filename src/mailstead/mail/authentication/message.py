"""A message as its authentication is looked at: fields with their exact octets, and a body that is read as a stream."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from mailstead.formats.message.header import header_end, iter_field_ranges
from mailstead.foundation.spool import Spool

HEADER_LIMIT = 1024 * 1024


class Field(msgspec.Struct, frozen=True):
    """A header field: name in lower case, name as written, value with its folding, and all of it with its line break."""

    key: bytes
    name: bytes
    value: bytes
    raw: bytes


class CheckedMessage:
    """`header` with its empty line; `body` gives the octets after it anew at every call, on any thread."""

    def __init__(self, header: bytes, body: Callable[[], Iterable[bytes]], body_size: int) -> None:
        self.header = header
        self.body = body
        self.body_size = body_size
        self.fields: list[Field] = []
        self.kept: dict[str, Any] = {}  # what checks made of it and others need, too
        for name, start, end in iter_field_ranges(header):
            raw = header[start:end]
            value = raw[raw.index(b":") + 1 :].removesuffix(b"\n").removesuffix(b"\r")
            self.fields.append(Field(name.lower(), name, value, raw))

    @classmethod
    def of_bytes(cls, raw: bytes) -> "CheckedMessage":
        """A whole message in memory."""
        end = header_end(raw, 0, min(len(raw), HEADER_LIMIT))
        body = raw[end:]
        return cls(raw[:end], lambda: (body,), len(body))

    @classmethod
    def of_spool(cls, message: Spool) -> "CheckedMessage":
        """A spooled message, which must stay open and unchanged meanwhile."""
        start = message.start(HEADER_LIMIT)
        end = header_end(start, 0, len(start))

        def body() -> Iterable[bytes]:
            left = end
            for chunk in message.chunks():
                if left >= len(chunk):
                    left -= len(chunk)
                else:
                    yield chunk[left:] if left else chunk
                    left = 0

        return cls(start[:end], body, message.size - end)

    def named(self, key: bytes) -> list[Field]:
        """Fields of one name (in lower case), from the top."""
        return [field for field in self.fields if field.key == key]
