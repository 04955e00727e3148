"""Limits of the REST API."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """REST API."""

    rate: Annotated[int, number("Requests of one token or address within the window; 0 for no limit")] = 6000
    stranger_rate: Annotated[
        int, number("Requests without valid credentials from one network within the window; 0 for no limit")
    ] = 1200
    rate_window: Annotated[float, duration("Window of counted requests", least=1)] = 3600.0
    page_limit: Annotated[int, number("Most items of a page", least=1)] = 1000
    sockets: Annotated[int, number("Live connections (WebSocket) of one mailbox to one process", least=1)] = 10
