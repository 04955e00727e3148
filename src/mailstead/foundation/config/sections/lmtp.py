"""Options of LMTP."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import listing, text


class LmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Mail that trusted hosts hand over for mailboxes here."""

    trusted: Annotated[
        tuple[str, ...], listing("Networks that may deliver over LMTP; a unix socket always may", each="networks")
    ] = (
        "127.0.0.0/8",
        "::1/128",
    )
    bare_newlines: Annotated[
        Literal["refuse", "accept"], text("A message with a bare CR or LF: refuse it, or accept it unchanged")
    ] = "accept"
