"""The metrics and health endpoint of a process."""

from collections.abc import Mapping

from mailstead.foundation.errors import MailsteadError
from mailstead.interfaces.health import health_handler
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on the metrics port."""
    stores = wiring.stores

    async def checks() -> Mapping[str, str]:
        """The stores that everything needs."""
        try:
            await stores.queue.consignments.count({"state": "held"})
        except MailsteadError as error:
            return {"documents": str(error)}
        return {"documents": ""}

    handler = health_handler(stores.metrics, checks, stores.settings.health)
    listeners = [listener(wiring, "metrics", stores.settings.port.metrics, "none", proxy=False)]
    return await serve_lines(wiring, "metrics", handler, listeners, b"")
