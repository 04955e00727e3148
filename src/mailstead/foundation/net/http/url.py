"""The URL of something on the web that a user named."""

from urllib.parse import urlsplit

import msgspec

from mailstead.foundation.errors import InvalidError

URL_LIMIT = 2048


class HttpUrl(msgspec.Struct, frozen=True):
    """Its parts; `path` with the query."""

    host: str
    port: int
    path: str
    is_secure: bool


def is_url(text: str) -> bool:
    """Whether a text is meant as a URL."""
    return text.lower().startswith(("https://", "http://"))


def parse_url(url: str) -> HttpUrl:
    """The parts of `http[s]://host[:port]/path?query`. Raises InvalidError for anything else, a login included."""
    refusal = InvalidError(f"{url[:200]}: a URL is given as https://HOST[:PORT]/PATH")
    if len(url) > URL_LIMIT or not url.isascii() or any(ord(letter) <= 32 or letter in '<>"\\' for letter in url):
        raise refusal
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refusal from error
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or port == 0:
        raise refusal
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return HttpUrl(parts.hostname, port or (443 if is_secure else 80), path, is_secure)
