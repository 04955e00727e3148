"""rspamd over HTTP: `POST /checkv2` of its normal worker."""

from collections.abc import Sequence
from typing import Any, Literal

import httptools
import msgspec

from mailstead.foundation.spool import Spool
from mailstead.mail.screening.sidecar.link import SidecarError, exchange, parse_place


class _Symbol(msgspec.Struct):
    score: float = 0.0


class _Answer(msgspec.Struct):
    score: float
    required_score: float = 0.0
    action: str = ""
    symbols: dict[str, _Symbol] = {}


class RspamdResult(msgspec.Struct, frozen=True):
    """`score` of `required`; `action` as rspamd calls it; `symbols` that gave points, the most first."""

    score: float
    required: float
    action: str
    symbols: tuple[str, ...]


class _Response:
    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.is_complete = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


async def ask_rspamd(
    place: str,
    message: Spool,
    *,
    address: str,
    hello: str,
    hostname: str,
    sender: str,
    recipients: Sequence[str],
    identifier: str,
    timeout: float,
) -> RspamdResult:
    """What rspamd at `place` thinks of `message`. `hostname` is the client's confirmed name, or "". Raises SidecarError."""
    host, _ = parse_place(place)
    fields = {"IP": address, "Helo": hello, "Hostname": hostname, "From": sender, "Queue-Id": identifier}
    lines = [
        "POST /checkv2 HTTP/1.1",
        f"Host: {'localhost' if host.startswith('unix:') else host}",
        "Connection: close",
        f"Content-Length: {message.size}",
        *(f"{name}: {_value(value)}" for name, value in fields.items() if value),
        *(f"Rcpt: {_value(recipient)}" for recipient in recipients[:100]),
    ]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    raw = await exchange(place, (head, *message.chunks()), timeout)
    return _read(raw)


def _value(text: str) -> str:
    """A stranger's words as the value of one field."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:998]


def _read(raw: bytes) -> RspamdResult:
    response = _Response()
    try:
        response.parser.feed_data(raw)
        status: Any = response.parser.get_status_code()
        if status != 200:
            raise SidecarError(detail=f"rspamd answers {status}")
        answer = msgspec.json.decode(bytes(response.body), type=_Answer)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade, msgspec.DecodeError) as error:
        raise SidecarError(detail=f"rspamd: {error}") from error
    gave = sorted(((symbol.score, name) for name, symbol in answer.symbols.items() if symbol.score), reverse=True)
    return RspamdResult(answer.score, answer.required_score, answer.action, tuple(name for _, name in gave[:20]))


Verdict = Literal["good", "junk", "later"]


def verdict_of(result: RspamdResult) -> Verdict:
    """What rspamd's action comes to here: its greylisting and its "soft reject" ask the sender to come back."""
    match result.action:
        case "reject" | "add header" | "rewrite subject" | "quarantine":
            return "junk"
        case "soft reject" | "greylist":
            return "later"
        case _:
            return "good"
