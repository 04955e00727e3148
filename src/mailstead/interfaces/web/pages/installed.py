"""The web as an installed application: its manifest (W3C Web Application Manifest) and its service worker."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render

_WORKER = "js/worker.js"


class InstalledPages(Controller):
    """/manifest.webmanifest, /worker.js and the page that is shown without a connection."""

    include_in_schema = False

    @get("/manifest.webmanifest", opt={"access": OPEN})
    async def manifest(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """What browsers ask for to install the application."""
        _ = language_of(request, services).gettext
        told = {
            "name": "Mailstead",
            "short_name": "Mailstead",
            "start_url": "/mail/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#faf9f6",
            "theme_color": "#1c6b4f",
            "icons": [
                {
                    "src": services.assets.url("icon.svg"),
                    "sizes": "any",
                    "type": "image/svg+xml",
                    "purpose": purpose,
                }
                for purpose in ("any", "maskable")
            ],
            "shortcuts": [{"name": _("Write"), "url": "/mail/compose"}],
        }
        return Response(msgspec.json.encode(told), media_type="application/manifest+json")

    @get("/worker.js", opt={"access": OPEN})
    async def worker(self, services: WebServices) -> Response[bytes]:
        """The service worker, at the root so that its scope is the whole application."""
        asset = services.assets.find(services.assets.url(_WORKER).removeprefix("/static/"))
        assert asset is not None
        return Response(asset.content, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @get("/offline", opt={"access": OPEN})
    async def offline(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """What is shown without a connection; it tells nothing of anybody."""
        return render(request, services, "offline.html")
