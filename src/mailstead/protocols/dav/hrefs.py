"""Paths: what they are made of, and how they are written."""

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

from mailstead.protocols.dav.errors import DavError

PREFIX = "/dav/"
_SAFE = "@!$&'()*+,;=:~"
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\]")
_PLAIN = re.compile(r"[A-Za-z0-9._~@-]*", re.ASCII)
_NAME_OCTETS = 255


def encode(segment: str) -> str:
    """One segment of a path (RFC 3986 §3.3)."""
    return segment if _PLAIN.fullmatch(segment) else quote(segment, safe=_SAFE)


def href(*segments: str, collection: bool = True) -> str:
    """The path of a resource."""
    path = PREFIX + "/".join(encode(segment) for segment in segments)
    return f"{path}/" if collection and segments else path


def split_path(path: str) -> tuple[str, ...]:
    """The decoded segments below the prefix; `/` and the prefix have none. Raises DavError."""
    inner = path.removeprefix("/dav") if path == "/dav" or path.startswith(PREFIX) else path
    segments = []
    for raw in inner.split("/"):
        if not raw:
            continue
        try:
            segment = unquote_to_bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            raise DavError(400, "The path is not UTF-8") from None
        if segment in (".", "..") or _UNFIT.search(segment) or len(segment.encode()) > _NAME_OCTETS:
            raise DavError(400, "The path has a segment that no resource can have")
        segments.append(segment)
    return tuple(segments)


def path_of(url: str, host: str) -> str:
    """The path of an absolute URL of this host, or of an absolute path. Raises DavError (RFC 4918 §8.3)."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise DavError(400, "Not a URL") from None
    if parts.netloc and host and parts.netloc.lower() != host.lower():
        raise DavError(502, "The URL is another server's")
    if not parts.path.startswith("/"):
        raise DavError(400, "Not an absolute path")
    return parts.path
