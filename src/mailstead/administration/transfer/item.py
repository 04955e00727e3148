"""A message on its way into a mailbox."""

import re
from collections.abc import Iterator
from typing import Protocol

import msgspec

from mailstead.formats.message.part import Octets

_BARE_LF = re.compile(rb"(?<!\r)\n")


class Item(msgspec.Struct, frozen=True):
    """A message of a source; `key` names it there for ever, so that it is never taken twice.

    `source` is the place that `key` belongs to; `internal_date` in seconds since the epoch.
    """

    folder: str
    source: str
    key: str
    raw: Octets
    flags: int
    keywords: tuple[str, ...]
    internal_date: int


class Source(Protocol):
    """Where messages come from."""

    def count(self) -> int | None:
        """How many messages there are, None when only reading tells."""
        ...

    def folders(self) -> list[tuple[str, bool]]:
        """Folders to be there even when nothing is in them, and whether each is subscribed."""
        ...

    def items(self) -> Iterator[Item]:
        """All messages, folder by folder. Raises OSError, PermanentError."""
        ...


def with_network_line_ends(raw: Octets) -> Octets:
    """A message as mail travels (RFC 5321 §2.3.8), when it was kept with bare line feeds as Unix programs do.

    One whose first line ends in CRLF is left as it is.
    """
    first = raw.find(b"\n")
    if first < 0 or (first > 0 and raw[first - 1] == 13):
        return raw
    return _BARE_LF.sub(b"\r\n", raw)
