"""What exports are made of, wherever they are written."""

from collections.abc import Iterable

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """A file of an export, or a folder when the path ends with a slash; `moment` in seconds since the epoch.

    `pieces` are to be read to their end before the next entry is asked for.
    """

    path: str
    moment: int
    pieces: Iterable[bytes] = ()
