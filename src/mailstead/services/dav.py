"""What the services caldav and carddav are made of: one application, on the port of each and under the web."""

from mailstead.interfaces.dav.application import DavApplication
from mailstead.protocols.dav.access import Access
from mailstead.protocols.dav.exchange import DavServices
from mailstead.protocols.dav.hooks import Hooks
from mailstead.protocols.dav.registry import registry
from mailstead.protocols.dav.server import DavServer
from mailstead.services.definition import Wiring
from mailstead.services.http import serve_http
from mailstead.services.lines import LineService, listener


def dav_application(wiring: Wiring, service: str) -> DavApplication:
    """The application; `service` is the name that failed logins are counted under."""
    stores = wiring.stores
    services = DavServices(stores.mailboxes, stores.directory, stores.settings, stores.clock, Access(), Hooks())
    return DavApplication(DavServer(services, registry()), stores.authenticator, stores.settings, service)


async def serve_dav(wiring: Wiring, service: str, port: int | None) -> LineService:
    """Listen on a port, which takes TLS and, from this host, plain HTTP."""
    return await serve_http(
        wiring, service, dav_application(wiring, service), [listener(wiring, service, port, "detect")]
    )
