"""Options of submission."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import switch, text


class SubmissionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Mail that users send."""

    bare_newlines: Annotated[
        Literal["refuse", "accept"], text("A message with a bare CR or LF: refuse it, or accept it unchanged")
    ] = "refuse"
    hide_client: Annotated[bool, switch("Leave the client's name and address out of the Received field")] = True
