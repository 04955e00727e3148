"""Bounds of imports and exports that people ask for."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing, number, size


class TransferSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Imports and exports."""

    upload_limit: Annotated[int, size("Largest file that is taken for an import", least=64 * 1024)] = 20 * 1024**3
    unpacked_limit: Annotated[int, size("Most that the files of an archive may have together", least=64 * 1024)] = (
        100 * 1024**3
    )
    entries_limit: Annotated[int, number("Files of an archive", least=1)] = 2_000_000
    collection_limit: Annotated[int, size("Largest .ics or .vcf file that is imported", least=64 * 1024)] = 64 * 1024**2
    per_mailbox: Annotated[int, number("Imports and exports of one mailbox that have not ended", least=1)] = 5
    at_once: Annotated[int, number("Imports and exports that one process works on", least=1)] = 2
    lease: Annotated[float, duration("After this long without a sign of life another process goes on", least=1)] = 60.0
    kept: Annotated[
        float, duration("How long what an export made, and the list of what was done, is kept", least=60)
    ] = 7 * 86400.0
    private_networks: Annotated[
        tuple[str, ...],
        listing(
            "Networks that users import from though they are not public; admins import from anywhere", each="networks"
        ),
    ] = ()
