"""The web service: pages, and the API under /v1, on one address."""

from typing import Any

from mailstead.interfaces.api.application import PREFIX, api_application
from mailstead.interfaces.web.application import web_application
from mailstead.services.api import api_services
from mailstead.services.definition import Wiring
from mailstead.services.http import serve_http
from mailstead.services.lines import LineService, listener


async def start(wiring: Wiring) -> LineService:
    """Listen on the web's ports."""
    services = api_services(wiring, "web")
    pages, api = web_application(services, wiring.contexts.own), api_application(services)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path: str = scope.get("path", "")
        chosen = api if path == PREFIX or path.startswith(f"{PREFIX}/") else pages
        await chosen(scope, receive, send)

    ports = wiring.stores.settings.port
    listeners = [listener(wiring, "http", ports.http, "none"), listener(wiring, "https", ports.https, "implicit")]
    return await serve_http(wiring, "web", app, listeners)
