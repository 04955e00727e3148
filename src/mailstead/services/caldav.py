"""The caldav service."""

from mailstead.services.dav import serve_dav
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService


async def start(wiring: Wiring) -> LineService:
    """Listen on its port."""
    return await serve_dav(wiring, "caldav", wiring.stores.settings.port.caldav)
