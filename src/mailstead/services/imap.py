"""The imap service."""

from mailstead.protocols.imap.server import TOO_MANY, imap_handler
from mailstead.protocols.imap.session import ImapServices
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on both IMAP ports."""
    stores = wiring.stores
    services = ImapServices(
        stores.authenticator,
        stores.mailboxes,
        stores.bus,
        stores.settings,
        stores.metrics,
        stores.clock,
        wiring.hostname,
    )
    listeners = [
        listener(wiring, "imap", stores.settings.port.imap, "starttls"),
        listener(wiring, "imaps", stores.settings.port.imaps, "implicit"),
    ]
    return await serve_lines(wiring, "imap", imap_handler(services), listeners, TOO_MANY)
