"""The mx service: mail from other hosts."""

from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.protocols.smtp.roles.mx import MxRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.services.definition import Wiring
from mailstead.services.delivery import smtp_services
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on the MX port."""
    stores = wiring.stores
    settings = stores.settings
    authentication = InboundAuthentication(
        stores.resolver, settings.authentication, settings.dkim, wiring.hostname, stores.clock
    )
    services = smtp_services(wiring, "mx", authentication=authentication if settings.authentication.check else None)
    listeners = [listener(wiring, "mx", settings.port.mx, "starttls")]
    return await serve_lines(wiring, "mx", smtp_handler(MxRole(services)), listeners, TOO_MANY)
