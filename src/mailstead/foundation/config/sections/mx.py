"""Options of inbound mail."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import text


class MxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Inbound mail."""

    bare_newlines: Annotated[
        Literal["refuse", "accept"], text("A message with a bare CR or LF: refuse it, or accept it unchanged")
    ] = "refuse"
