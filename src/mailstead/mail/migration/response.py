"""Responses of a server (RFC 9051 §7), taken from octets as they arrive.

A response is lines and literals by turns. The octets of a literal that follows `BODY[] ` go to a spool of their own.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from mailstead.foundation.spool import Spool
from mailstead.mail.migration.errors import MigrationError

_LITERAL = re.compile(rb"~?\{(\d{1,19})\}$")
_BODY = re.compile(rb"BODY\[\] ~?\{\d{1,19}\}$", re.IGNORECASE)
_TOKEN = re.compile(rb'\(|\)|"((?:[^"\\]|\\.)*)"|[^\s()"]+', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_DEPTH = 20

Piece: TypeAlias = bytes | Spool
Response: TypeAlias = list[Piece]
Value: TypeAlias = "bytes | Spool | list[Value] | None"


class ResponseParser:
    """Collects responses; `limit` octets of one besides the body, `body_limit` octets of the body."""

    def __init__(self, limit: int, body_limit: int, new_body: Callable[[], Spool]) -> None:
        self._limit = limit
        self._body_limit = body_limit
        self._new_body = new_body
        self._buffer = bytearray()
        self._searched = 0
        self._response: Response = []
        self._size = 0
        self._remaining = 0
        self._literal: bytearray | Spool | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was received that is not handed out."""
        return not self._buffer and not self._response

    def receive(self, data: bytes) -> None:
        """Octets that arrived."""
        self._buffer += data

    def next_response(self) -> Response | None:
        """The next whole response, None until there is one. Raises MigrationError when a bound is passed."""
        while True:
            if self._literal is not None and not self._fill():
                return None
            end = self._buffer.find(b"\n", self._searched)
            if end < 0:
                self._searched = len(self._buffer)
                self._count(len(self._buffer), keep=False)
                return None
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            self._searched = 0
            self._count(len(line))
            self._response.append(line)
            found = _LITERAL.search(line)
            if found is None:
                response, self._response, self._size = self._response, [], 0
                return response
            self._remaining = int(found[1])
            if _BODY.search(line):
                if self._remaining > self._body_limit:
                    raise MigrationError(f"The other server sent a message of {self._remaining} octets")
                self._literal = self._new_body()
            else:
                self._count(self._remaining)
                self._literal = bytearray()

    def _fill(self) -> bool:
        """Give the literal what there is of it; whether it is whole."""
        assert self._literal is not None
        taken = bytes(self._buffer[: self._remaining])
        del self._buffer[: self._remaining]
        self._remaining -= len(taken)
        if isinstance(self._literal, Spool):
            self._literal.append(taken)
        else:
            self._literal += taken
        if self._remaining:
            return False
        self._response.append(self._literal if isinstance(self._literal, Spool) else bytes(self._literal))
        self._literal = None
        return True

    def _count(self, octets: int, *, keep: bool = True) -> None:
        if self._size + octets > self._limit:
            raise MigrationError(f"The other server sent a response of more than {self._limit} octets")
        if keep:
            self._size += octets

    def close(self) -> None:
        """Give back what was not handed out."""
        for piece in (*self._response, self._literal):
            if isinstance(piece, Spool):
                piece.close()


def bodies(response: Response) -> Iterator[Spool]:
    """The spools in a response."""
    return (piece for piece in response if isinstance(piece, Spool))


def values(response: Response, start: int) -> list[Value]:
    """What stands in a response from octet `start` of its first line: atoms, strings, NIL, lists. Raises MigrationError."""
    stack: list[list[Value]] = [[]]
    for place, piece in enumerate(response):
        if place % 2:
            stack[-1].append(piece)
            continue
        assert isinstance(piece, bytes)
        text = _LITERAL.sub(b"", piece) if place + 1 < len(response) else piece
        for found in _TOKEN.finditer(text, start if place == 0 else 0):
            if found[0] == b"(":
                if len(stack) > _DEPTH:
                    raise MigrationError("The other server sent lists too deep")
                stack.append([])
            elif found[0] == b")":
                if len(stack) == 1:
                    raise MigrationError("The other server sent what is no IMAP", detail="a list that never began")
                closed = stack.pop()
                stack[-1].append(closed)
            elif found[1] is not None:
                stack[-1].append(_ESCAPED.sub(rb"\1", found[1]))
            else:
                stack[-1].append(None if found[0].upper() == b"NIL" else found[0])
    if len(stack) > 1:
        raise MigrationError("The other server sent what is no IMAP", detail="a list that does not end")
    return stack[0]
