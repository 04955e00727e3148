"""An IMAP client of one connection."""

import socket
import ssl
from collections.abc import Iterable, Sequence

from benchmarks.clients import RefusedError

_RECEIVE = 1 << 18
_LINE = 4096  # a tagged response is shorter
_BATCH = 200


class Imap:
    """Commands one after another; `command` returns the octets of the response."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._number = 0
        self._line(b"* ")

    def _line(self, start: bytes) -> bytes:
        data = b""
        while not data.endswith(b"\r\n"):
            data += self._received()
        if not data.rstrip().rpartition(b"\r\n")[2].startswith(start):
            raise RefusedError(data.decode("utf-8", "replace"))
        return data

    def _received(self) -> bytes:
        data = self.socket.recv(_RECEIVE)
        if not data:
            raise RefusedError("the server closed the connection")
        return data

    def _tag(self) -> bytes:
        self._number += 1
        return b"b%d" % self._number

    def _completed(self, tag: bytes, kept: list[bytes] | None = None) -> int:
        """Read to the tagged response; its octets and those before. Raises RefusedError when it is not OK."""
        octets, window = 0, b""
        while True:
            data = self._received()
            octets += len(data)
            if kept is not None:
                kept.append(data)
            window = data[-_LINE:] if len(data) >= _LINE else (window + data)[-_LINE:]
            if window.endswith(b"\r\n"):
                last = window[:-2].rpartition(b"\r\n")[2]
                if last.startswith(tag + b" "):
                    if not last.startswith(tag + b" OK"):
                        raise RefusedError(last.decode("utf-8", "replace"))
                    return octets

    def command(self, line: str) -> int:
        """Send a command and read to its end; returns the octets of the response."""
        tag = self._tag()
        self.socket.sendall(b"%b %b\r\n" % (tag, line.encode()))
        return self._completed(tag)

    def response(self, line: str) -> bytes:
        """The whole response to a command."""
        tag, kept = self._tag(), list[bytes]()
        self.socket.sendall(b"%b %b\r\n" % (tag, line.encode()))
        self._completed(tag, kept)
        return b"".join(kept)

    def login(self, user: str, password: str) -> None:
        """LOGIN."""
        self.command(f'LOGIN "{user}" "{password}"')

    def append(self, folder: str, messages: Sequence[bytes]) -> None:
        """One APPEND of one message, or of several where the server has MULTIAPPEND."""
        tag = self._tag()
        pieces = [b"%b APPEND %b" % (tag, folder.encode())]
        for message in messages:
            pieces.append(b" {%d+}\r\n" % len(message))
            pieces.append(message)
        pieces.append(b"\r\n")
        self.socket.sendall(b"".join(pieces))
        self._completed(tag)

    def fill(self, folder: str, messages: Iterable[bytes]) -> None:
        """Append all, many at once where the server can."""
        at_once = _BATCH if b"MULTIAPPEND" in self.response("CAPABILITY") else 1
        batch: list[bytes] = []
        for message in messages:
            batch.append(message)
            if len(batch) == at_once:
                self.append(folder, batch)
                batch = []
        if batch:
            self.append(folder, batch)

    def count(self, folder: str) -> int:
        """Messages of a folder."""
        answer = self.response(f"STATUS {folder} (MESSAGES)")
        return int(answer.split(b"(MESSAGES ")[1].split(b")")[0])

    def idle(self) -> None:
        """Begin IDLE and stay in it."""
        self.socket.sendall(self._tag() + b" IDLE\r\n")
        self._line(b"+")

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()
