"""The storage service: LMTP into the mailboxes of this node."""

from mailstead.foundation.net.server import Listener
from mailstead.protocols.smtp.roles.lmtp import LmtpRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.services.definition import Wiring
from mailstead.services.delivery import LMTP_SOCKET, smtp_services
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on the unix socket under DATA and on the LMTP port."""
    services = smtp_services(wiring, "storage")
    listeners = [
        Listener("lmtp-socket", f"unix:{wiring.stores.data / LMTP_SOCKET}", 0, "none", proxy=False),
        listener(wiring, "lmtp", wiring.stores.settings.port.lmtp, "none", proxy=False),
    ]
    return await serve_lines(wiring, "lmtp", smtp_handler(LmtpRole(services)), listeners, TOO_MANY)
