"""Bounds of reading mail from other servers."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class MigrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Reading mail from other servers."""

    timeout: Annotated[float, duration("How long the other server may be silent", least=1)] = 120.0
    message_limit: Annotated[int, size("Larger messages are left there", least=64 * 1024)] = 256 * 1024**2
    response_limit: Annotated[int, size("What it may say to one command besides messages", least=64 * 1024)] = (
        16 * 1024**2
    )
    folders_limit: Annotated[int, number("Folders of one account", least=1)] = 10_000
    messages_limit: Annotated[int, number("Messages of one folder", least=1)] = 5_000_000
