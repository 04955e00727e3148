"""Does a service answer in its own protocol? The dialogues are a table; a probe speaks one and hangs up politely.

A probe logs nobody in and changes nothing. Certificates are not verified: whether they are right is another question than
whether the service answers, and the name of the host is not the address that is asked.
"""

import re
import socket
import ssl
from collections.abc import Mapping

import msgspec

from mailstead.foundation.net.listen import EVERYWHERE
from mailstead.services.ready import Endpoint

_LINE_LIMIT = 8192
_REPLY_LINES = 200


class ProbeFailedError(Exception):
    """The service did not answer as its protocol says; the text says what came instead."""


class Exchange(msgspec.Struct, frozen=True):
    """What is said (nothing: a greeting is waited for), the line that ends a good reply, and the lines before it."""

    says: bytes
    good: str
    more: str = r"(?!)"


class Probe(msgspec.Struct, frozen=True):
    """The service an endpoint belongs to, and its dialogue."""

    service: str
    dialogue: tuple[Exchange, ...]


def _smtp(greeting: bytes) -> tuple[Exchange, ...]:
    return (
        Exchange(b"", "220 ", "220-"),
        Exchange(greeting + b" localhost\r\n", "250 ", "250-"),
        Exchange(b"QUIT\r\n", "221 ", "221-"),
    )


def _http(path: bytes, status: str) -> tuple[Exchange, ...]:
    request = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return (Exchange(request, rf"HTTP/1\.1 {status} "),)


def _dav() -> tuple[Exchange, ...]:
    request = b"OPTIONS /dav/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return (Exchange(request, r"(?i)dav: 1\b", r"HTTP/1\.1 200 |[A-Za-z-]+: "),)


_SMTP, _LMTP = _smtp(b"EHLO"), _smtp(b"LHLO")
_IMAP = (
    Exchange(b"", r"\* OK "),
    Exchange(b"a CAPABILITY\r\n", "a OK ", r"\* "),
    Exchange(b"b LOGOUT\r\n", "b OK ", r"\* BYE "),
)
_POP3 = (
    Exchange(b"", r"\+OK "),
    Exchange(b"CAPA\r\n", r"\.\Z", r"\+OK|[A-Z]"),
    Exchange(b"QUIT\r\n", r"\+OK"),
)
_SIEVE = (Exchange(b"", "OK", '"'), Exchange(b"LOGOUT\r\n", "OK"))
_ANSWERED = "[1-4][0-9][0-9]"

PROBES: Mapping[str, Probe] = {
    "lmtp": Probe("storage", _LMTP),
    "submission": Probe("smtp", _SMTP),
    "submissions": Probe("smtp", _SMTP),
    "mx": Probe("mx", _SMTP),
    "imap": Probe("imap", _IMAP),
    "imaps": Probe("imap", _IMAP),
    "pop3": Probe("pop3", _POP3),
    "pop3s": Probe("pop3", _POP3),
    "sieve": Probe("managesieve", _SIEVE),
    "api": Probe("api", _http(b"/", _ANSWERED)),
    "http": Probe("web", _http(b"/", _ANSWERED)),
    "https": Probe("web", _http(b"/", _ANSWERED)),
    "caldav": Probe("caldav", _dav()),
    "carddav": Probe("carddav", _dav()),
    "metrics": Probe("metrics", _http(b"/health/ready", "200")),
}
"""By the names that ready files give endpoints."""


def speak(endpoint: Endpoint, dialogue: tuple[Exchange, ...], timeout: float) -> None:
    """Hold `dialogue` with what listens at `endpoint`; no step takes longer than `timeout` seconds.

    Raises ProbeFailedError, OSError (also for TLS and for a peer that says nothing in time).
    """
    host = "127.0.0.1" if endpoint.host in EVERYWHERE else endpoint.host
    with socket.create_connection((host, endpoint.port), timeout) as connection:
        if endpoint.tls == "implicit":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with context.wrap_socket(connection) as protected:
                _hold(protected, dialogue)
        else:
            _hold(connection, dialogue)


def _hold(connection: socket.socket, dialogue: tuple[Exchange, ...]) -> None:
    with connection.makefile("rb") as replies:
        for exchange in dialogue:
            connection.sendall(exchange.says)
            for _ in range(_REPLY_LINES):
                line = replies.readline(_LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")
                if re.match(exchange.good, line):
                    break
                if not re.match(exchange.more, line):
                    raise ProbeFailedError(f"answers {line!r}" if line else "closed the connection")
            else:
                raise ProbeFailedError(f"answers with more than {_REPLY_LINES} lines")
