"""What the services caldav and carddav are made of: one application, on the port of each and under the web."""

from mailstead.administration.actor import Actor
from mailstead.interfaces.dav.application import DavApplication
from mailstead.interfaces.dav.published import PublishedCalendars
from mailstead.protocols.dav.exchange import DavServices
from mailstead.protocols.dav.registry import registry
from mailstead.protocols.dav.scheduling.hooks import SchedulingHooks
from mailstead.protocols.dav.server import DavServer
from mailstead.protocols.dav.sharing import SharedAccess
from mailstead.services.definition import Wiring
from mailstead.services.delivery import implicit_scheduling, scheduling_delivery
from mailstead.services.http import serve_http
from mailstead.services.lines import LineService, listener
from mailstead.stores.mailbox.dav.records import Collection
from mailstead.stores.sharing.links import CalendarLinks
from mailstead.stores.sharing.shares import Shares
from mailstead.stores.sharing.subscriptions import Subscriptions


def dav_application(wiring: Wiring, service: str) -> DavApplication:
    """The application; `service` is the name that failed logins are counted under."""
    stores = wiring.stores
    delivery = scheduling_delivery(wiring, service)

    async def told(owner: str, collection: Collection, sharee: str, rights: str) -> None:
        await stores.administration.audit(
            Actor(owner, "user"),
            "share.give" if rights else "share.end",
            owner,
            kind=collection.kind,
            name=collection.name,
            sharee=sharee,
            rights=rights,
        )

    services = DavServices(
        stores.mailboxes,
        stores.directory,
        stores.settings,
        stores.clock,
        SharedAccess(Shares(stores.documents, stores.clock), Subscriptions(stores.documents, stores.clock), told),
        SchedulingHooks(implicit_scheduling(wiring, delivery)),
        delivery,
    )
    links = CalendarLinks(stores.documents, stores.clock)
    published = PublishedCalendars(links, stores.directory, stores.mailboxes, stores.settings)
    return DavApplication(DavServer(services, registry()), stores.authenticator, stores.settings, service, published)


async def serve_dav(wiring: Wiring, service: str, port: int | None) -> LineService:
    """Listen on a port, which takes TLS and, from this host, plain HTTP."""
    return await serve_http(
        wiring, service, dav_application(wiring, service), [listener(wiring, service, port, "detect")]
    )
