"""A service that is an ASGI application on HTTP listeners."""

from collections.abc import Sequence
from typing import Any

from mailstead.foundation.net.http.handler import TOO_MANY, http_handler
from mailstead.foundation.net.server import Listener
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService, serve_lines


async def serve_http(wiring: Wiring, service: str, app: Any, listeners: Sequence[Listener | None]) -> LineService:
    """Serve the ASGI 3 application `app` on the listeners that are switched on. Raises OSError."""
    settings = wiring.stores.settings
    handler = http_handler(app, settings.http, settings.network)
    return await serve_lines(wiring, service, handler, listeners, TOO_MANY)
