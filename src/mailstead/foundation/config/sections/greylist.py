"""Options of greylisting."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, number, text


class GreylistSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Greylisting: a sender that is not known is asked to come back later."""

    mode: Annotated[
        Literal["off", "suspicious", "all"],
        text("Whom it concerns: nobody, clients with something against them, or everybody who is not known"),
    ] = "suspicious"
    delay: Annotated[float, duration("How long the sender has to wait at least")] = 120.0
    retry_within: Annotated[float, duration("How long it may take to come back", least=60)] = 2 * 86400.0
    remember: Annotated[float, duration("How long one who came back is known after the last message", least=60)] = (
        36 * 86400.0
    )
    network_passes: Annotated[
        int, number("How often a network comes back with one sender domain before it need not any more", least=1)
    ] = 3
