"""Options of what may be attached to arriving mail."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import listing, number, size, text


class AttachmentsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Attachments of arriving mail."""

    executables: Annotated[
        Literal["refuse", "junk", "tag", "off"],
        text("Programs and scripts, by name or content, in archives too: refuse, put into Junk, only tell, or ignore"),
    ] = "refuse"
    macros: Annotated[Literal["refuse", "junk", "tag", "off"], text("Office documents with macros: the same")] = "junk"
    encrypted: Annotated[
        Literal["refuse", "junk", "tag", "off"], text("Archives that nobody can look into without a password: the same")
    ] = "tag"
    extensions: Annotated[
        tuple[str, ...], listing("Further file name extensions that count as executable", each="words")
    ] = ()
    archive_depth: Annotated[int, number("Archives in archives that are looked into")] = 3
    archive_entries: Annotated[int, number("Entries of all archives of a message that are looked at", least=1)] = 2_000
    archive_size: Annotated[
        int, size("Octets of all archives of a message that are unpacked to look at them", least=1024)
    ] = 16 * 1024 * 1024
