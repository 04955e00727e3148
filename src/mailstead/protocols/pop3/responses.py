"""Responses (RFC 1939 §3, RFC 2449 §8) and the octets of multi-line ones.

single-line = ("+OK" / "-ERR") [SP [resp-code SP] text] CRLF        at most 512 octets
multi-line  = single-line *dot-stuffed "." CRLF
"""

from typing import Literal

Code = Literal["", "IN-USE", "AUTH", "SYS/TEMP", "SYS/PERM", "UTF8"]
_TEXT_LIMIT = 400
END = b".\r\n"


def ok(text: str = "") -> bytes:
    """A positive response."""
    return f"+OK {_safe(text)}\r\n".encode() if text else b"+OK\r\n"


def error(text: str, code: Code = "") -> bytes:
    """A negative response with its extended code."""
    return f"-ERR {f'[{code}] ' if code else ''}{_safe(text)}\r\n".encode()


def _safe(text: str) -> str:
    """No peer's text can break a line, or be taken for a response code."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_TEXT_LIMIT]).lstrip("[")


def stuffed(data: bytes) -> list[bytes]:
    """A whole message byte-stuffed as by Stuffing, with the final dot: what most messages need, at less cost."""
    pieces = [data.replace(b"\n.", b"\n.."), END if data.endswith(b"\r\n") or not data else b"\r\n" + END]
    return [b".", *pieces] if data.startswith(b".") else pieces


class Stuffing:
    """Byte-stuffs a message that comes in pieces (RFC 1939 §3).

    A dot after a bare LF is stuffed too: many clients take LF alone for a line end, and a stored message must not be
    able to end its own response there and speak for the server.
    """

    def __init__(self) -> None:
        self._before = b"\r\n"

    def stuff(self, data: bytes) -> bytes:
        """The octets to be sent for `data`."""
        if not data:
            return b""
        stuffed = data.replace(b"\n.", b"\n..") if b"\n." in data else data
        if self._before[-1:] == b"\n" and data[:1] == b".":
            stuffed = b"." + stuffed
        self._before = data[-2:] if len(data) > 1 else self._before[-1:] + data
        return stuffed

    def end(self) -> bytes:
        """The line break that may lack, and the final dot."""
        return END if self._before == b"\r\n" else b"\r\n" + END
