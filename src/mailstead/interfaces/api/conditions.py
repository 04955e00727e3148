"""Conditional requests: what a client has already, and changes to the state that it saw (RFC 9110 §13)."""

import re
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.datastructures import ResponseHeader

from mailstead.foundation.errors import InvalidError

ETAG = ResponseHeader(name="ETag", description="Of this state of the object (RFC 9110 §8.8.3)", documentation_only=True)
Shown = TypeVar("Shown")


def answered(request: Request[Any, Any, Any], shown: Shown, etag: str) -> Response[Shown]:
    """The object with its ETag; 304 when it is asked for by who has it."""
    headers = {"ETag": etag}
    if request.method in ("GET", "HEAD") and is_known(request, etag):
        nothing: Any = None
        return Response(nothing, status_code=304, headers=headers)
    return Response(shown, headers=headers)


def wanted_etag(request: Request[Any, Any, Any]) -> str | None:
    """The one strong ETag of If-Match (RFC 9110 §13.1.1), None without it or for `*`. Raises InvalidError."""
    given = (request.headers.get("if-match") or "").strip()
    if given in ("", "*"):
        return None
    if not re.fullmatch(r'"[^"]*"', given):
        raise InvalidError("If-Match names one ETag")
    return given


def is_known(request: Request[Any, Any, Any], etag: str) -> bool:
    """Whether If-None-Match names the ETag, weak or strong (RFC 9110 §13.1.2)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in given.split(",")]
