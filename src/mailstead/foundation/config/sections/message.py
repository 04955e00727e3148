"""Bounds of a message, whatever way it comes in."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, path, size


class MessageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a message."""

    size_limit: Annotated[int, size("Largest message accepted", least=64 * 1024)] = 50 * 1024**2
    spool_threshold: Annotated[int, size("Messages past this size wait on disk instead of in memory")] = 512 * 1024
    spool_directory: Annotated[str, path("Folder for unnamed temporary files; empty: DATA/spool")] = ""
    recipients_limit: Annotated[int, number("Recipients of one message", least=1)] = 100
    hops_limit: Annotated[int, number("Received fields of one message", least=1)] = 50
