"""ClamAV's clamd: `zINSTREAM`, chunks with their lengths, then one line."""

import struct
from collections.abc import Iterator

from mailstead.foundation.spool import Spool
from mailstead.mail.screening.sidecar.link import SidecarError, exchange

_CHUNK = 64 * 1024


async def ask_clamd(place: str, message: Spool, timeout: float, size_limit: int) -> str:
    """The name of the virus that clamd at `place` finds in the first `size_limit` octets, "" for none.

    clamd has a limit of its own (StreamMaxLength); what is past it is an error of its. Raises SidecarError.
    """
    answer = await exchange(place, _request(message, size_limit), timeout)
    text = answer.rstrip(b"\0\r\n ").decode("utf-8", "replace")
    if text.endswith(" FOUND"):
        return text.removesuffix(" FOUND").partition(": ")[2][:200] or "unnamed"
    if text.endswith(": OK"):
        return ""
    raise SidecarError(detail=f"clamd: {text[:200] or 'no answer'}")


def _request(message: Spool, size_limit: int) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    left = size_limit
    for chunk in message.chunks(_CHUNK):
        for start in range(0, min(len(chunk), left), _CHUNK):
            piece = chunk[start : min(start + _CHUNK, left)]
            yield struct.pack("!I", len(piece)) + piece
        left -= min(len(chunk), left)
        if not left:
            break
    yield struct.pack("!I", 0)
