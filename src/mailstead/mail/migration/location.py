"""Where an account on another server is: `imap://user@host[:port]` or `imaps://`."""

from urllib.parse import unquote, urlsplit

import msgspec

from mailstead.foundation.errors import InvalidError

_PORTS = {"imap": 143, "imaps": 993}


class Location(msgspec.Struct, frozen=True):
    """A server and the account there."""

    user: str
    host: str
    port: int
    implicit_tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def is_location(text: str) -> bool:
    """Whether `text` is to name a server rather than a file."""
    return text.partition("://")[0].lower() in _PORTS and "://" in text


def parse_location(text: str) -> Location:
    """The location. Raises InvalidError."""
    form = "imap://user@host[:port] or imaps://user@host[:port]"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidError(f"The source is not of the form {form}") from None
    if parts.password is not None:
        raise InvalidError("A password in the source could be read by others: leave it out, it is asked for")
    user, host = unquote(parts.username or ""), parts.hostname or ""
    if parts.scheme not in _PORTS or not user or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidError(f"The source is not of the form {form}")
    return Location(user, host, port or _PORTS[parts.scheme], parts.scheme == "imaps")
