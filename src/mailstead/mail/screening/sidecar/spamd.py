"""SpamAssassin's spamd over SPAMC: `SYMBOLS`, which gives the score and the names of the rules that hit."""

import re

import msgspec

from mailstead.foundation.spool import Spool
from mailstead.mail.screening.sidecar.link import SidecarError, exchange

_STATUS = re.compile(rb"SPAMD/[\d.]+ (\d+) ?([^\r\n]*)\r?\n")
_SPAM = re.compile(rb"^Spam: *(True|False|Yes|No) *; *(-?[\d.]+) */ *(-?[\d.]+)", re.IGNORECASE | re.MULTILINE)


class SpamdResult(msgspec.Struct, frozen=True):
    """`score` of `required`, and the rules that hit."""

    score: float
    required: float
    symbols: tuple[str, ...]


async def ask_spamd(place: str, message: Spool, timeout: float) -> SpamdResult:
    """What spamd at `place` thinks of `message`. Raises SidecarError."""
    head = f"SYMBOLS SPAMC/1.5\r\nContent-length: {message.size}\r\n\r\n".encode()
    return _read(await exchange(place, (head, *message.chunks()), timeout))


def _read(raw: bytes) -> SpamdResult:
    status = _STATUS.match(raw)
    if status is None or status[1] != b"0":
        why = status[2].decode("ascii", "replace") if status is not None else "no answer of its protocol"
        raise SidecarError(detail=f"spamd: {why}")
    header, _, body = raw.partition(b"\r\n\r\n")
    found = _SPAM.search(header)
    if found is None:
        raise SidecarError(detail="spamd: no Spam field")
    try:
        score, required = float(found[2]), float(found[3])
    except ValueError as error:
        raise SidecarError(detail="spamd: no score") from error
    names = [name.strip() for name in body.decode("ascii", "replace").split(",")]
    return SpamdResult(score, required, tuple(name[:60] for name in names if name)[:20])
