"""The pop3 service."""

from mailstead.protocols.pop3.server import TOO_MANY, pop3_handler
from mailstead.protocols.pop3.session import Pop3Services
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on both POP3 ports."""
    stores = wiring.stores
    services = Pop3Services(
        stores.authenticator, stores.mailboxes, stores.bus, stores.settings, stores.metrics, wiring.hostname
    )
    listeners = [
        listener(wiring, "pop3", stores.settings.port.pop3, "starttls"),
        listener(wiring, "pop3s", stores.settings.port.pop3s, "implicit"),
    ]
    return await serve_lines(wiring, "pop3", pop3_handler(services), listeners, TOO_MANY)
