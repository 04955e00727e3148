"""Options of other filters that are asked about arriving mail."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, points, size, text

_WHERE = r"^$|^unix:/.+$|^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"
_ALLOWED = "HOST:PORT, unix:/path, or empty"


class SidecarSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Other filters beside Mailstead: rspamd, SpamAssassin, ClamAV."""

    rspamd: Annotated[str, text("The normal worker of rspamd; empty: none", pattern=_WHERE, allowed=_ALLOWED)] = ""
    spamd: Annotated[str, text("spamd of SpamAssassin; empty: none", pattern=_WHERE, allowed=_ALLOWED)] = ""
    clamd: Annotated[str, text("clamd of ClamAV; empty: none", pattern=_WHERE, allowed=_ALLOWED)] = ""
    timeout: Annotated[float, duration("How long one of them may take", least=0.1)] = 20.0
    size_limit: Annotated[
        int, size("Messages larger than this are not shown to rspamd and spamd, and to clamd only as far", least=1024)
    ] = 25 * 1024 * 1024
    on_failure: Annotated[
        Literal["pass", "defer"],
        text("When one of them does not answer: let the message pass without it, or ask the sender to come back"),
    ] = "pass"
    on_virus: Annotated[
        Literal["refuse", "junk"], text("What ClamAV finds a virus in: refuse it, or put it into Junk")
    ] = "refuse"
    weight: Annotated[
        float, points("What the points of rspamd and spamd, brought to our threshold, are multiplied with")
    ] = 1.0
