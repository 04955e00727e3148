"""Limits of HTTP connections."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Web, API, CalDAV and CardDAV."""

    head_limit: Annotated[int, size("Largest request line with header", least=1024)] = 32 * 1024
    fields_limit: Annotated[int, number("Most header fields of a request", least=8)] = 100
    head_timeout: Annotated[float, duration("How long a request's header may take to arrive", least=0.01)] = 20.0
    body_timeout: Annotated[float, duration("How long a request's body may pause", least=0.01)] = 60.0
    keep_alive: Annotated[float, duration("How long a connection may wait for its next request", least=0.01)] = 75.0
    websocket_limit: Annotated[int, size("Largest WebSocket message from a client", least=1024)] = 64 * 1024
