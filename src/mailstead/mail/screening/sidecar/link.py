"""A connection to another filter."""

from collections.abc import Iterable

from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DisconnectedError, ReadTimeoutError, WriteTimeoutError

ANSWER_LIMIT = 1024 * 1024


class SidecarError(TemporaryError):
    """Another filter does not answer, or not as its protocol says."""

    smtp_code = 451
    enhanced_code = "4.7.1"
    public_text = "A filter of ours does not answer, come back later"


def parse_place(place: str) -> tuple[str, int]:
    """Host and port of `host:port`, or `unix:/path` and 0, as Settings checked it."""
    if place.startswith("unix:"):
        return place, 0
    host, _, port = place.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def exchange(place: str, request: Iterable[bytes], timeout: float) -> bytes:
    """Send `request` to `place` and return all that it answers until it closes. Raises SidecarError."""
    host, port = parse_place(place)
    try:
        connection = await connect(host, port, timeout=timeout)
    except OSError as error:
        raise SidecarError(detail=f"{place}: {error or 'no connection in time'}") from error
    try:
        return await _talk(connection, request, timeout)
    except (DisconnectedError, ReadTimeoutError, WriteTimeoutError, OSError) as error:
        raise SidecarError(detail=f"{place}: {error or type(error).__name__}") from error
    finally:
        connection.abort()


async def _talk(connection: Connection, request: Iterable[bytes], timeout: float) -> bytes:
    for piece in request:
        connection.write(piece)
        await connection.flush(timeout)
    pieces, size = [], 0
    while data := await connection.read(timeout):
        pieces.append(data)
        size += len(data)
        if size > ANSWER_LIMIT:
            raise SidecarError(detail="the answer is too long")
    return b"".join(pieces)
