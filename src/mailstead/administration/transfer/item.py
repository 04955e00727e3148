"""A message on its way into a mailbox."""

import re
from collections.abc import Iterator
from typing import Protocol

import msgspec

from mailstead.formats.message.part import Octets
from mailstead.stores.mailbox.folders import INBOX, SEPARATOR

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


def placed(folder: str, into: str) -> str:
    """The folder here of a folder there, when all goes below the folder `into`, which takes what INBOX held."""
    if not into:
        return folder
    return into if folder.upper() == INBOX else f"{into}{SEPARATOR}{folder}"


class Below:
    """A source whose folders lie below another; see Source. The same source elsewhere is another source."""

    def __init__(self, source: Source, into: str) -> None:
        self._source = source
        self._into = into

    def count(self) -> int | None:
        """See Source."""
        return self._source.count()

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return [(placed(name, self._into), subscribed) for name, subscribed in self._source.folders()]

    def items(self) -> Iterator[Item]:
        """See Source."""
        for item in self._source.items():
            source = f"{item.source} in {self._into}"
            yield msgspec.structs.replace(item, folder=placed(item.folder, self._into), source=source)
