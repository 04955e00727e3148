"""Octets of messages as responses: conditional, in ranges, and streamed as they are read."""

import re
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from mailstead.foundation.errors import PermanentError
from mailstead.interfaces.api.conditions import is_known
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.mailboxes import Mailboxes

_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})-(\d{0,18})", re.IGNORECASE | re.ASCII)


class RangeNotSatisfiableError(PermanentError):
    """The range begins after the end (RFC 9110 §15.5.17)."""

    http_status = 416
    public_text = "The range is not within the message"


def octets_response(
    request: Request[Any, Any, Any], mailboxes: Mailboxes, content: MessageContent, media_type: str, etag: str
) -> Response[Any]:
    """The content, 304 when the client has it, 206 with one Range of it (RFC 9110 §13.1.2, §14.2).

    Of several ranges, and with If-Range of another state, the whole is given. Raises RangeNotSatisfiableError.
    """
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable", "Accept-Ranges": "bytes"}
    if is_known(request, etag):
        return Response(b"", status_code=304, headers=headers)
    size = content.size
    start, end, status = 0, size, 200
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is not None and (asked[1] or asked[2]) and request.headers.get("if-range", etag) == etag:
        start, end = _bounds(asked[1], asked[2], size)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        status = 206
    headers["Content-Length"] = str(end - start)
    pieces = _pieces(mailboxes, content, start, end)
    return Stream(pieces, status_code=status, media_type=media_type, headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            raise RangeNotSatisfiableError
    if start >= end:
        raise RangeNotSatisfiableError
    return start, end


async def _pieces(mailboxes: Mailboxes, content: MessageContent, start: int, end: int) -> AsyncIterator[bytes]:
    """The octets in pieces, each read on a thread when the one before is on its way."""
    for begin in range(start, end, _PIECE):
        yield await mailboxes.run(content.read, begin, min(begin + _PIECE, end))
