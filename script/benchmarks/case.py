"""What a case is given, and what it gives back."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.size import Size
from benchmarks.table import Table


class Context(msgspec.Struct, frozen=True):
    """The run: how much, in which empty folder, and with which archive of real mail if any."""

    size: Size
    folder: Path
    with_peers: bool
    archive: Path | None


class Case(msgspec.Struct, frozen=True):
    """One benchmark by name."""

    name: str
    purpose: str
    run: Callable[[Context], Table]
