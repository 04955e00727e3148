"""The api service."""

from mailstead.interfaces.api.application import api_application
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identification
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.outbound.letters import Letters
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.routing.router import Router
from mailstead.services.definition import Wiring
from mailstead.services.delivery import local_delivery
from mailstead.services.http import serve_http
from mailstead.services.lines import LineService, listener
from mailstead.services.policy import sending_policy
from mailstead.services.standing import installation_status
from mailstead.stores.access.passkeys import Passkeys
from mailstead.stores.access.sessions import Sessions
from mailstead.stores.access.tokens import Tokens


def submission_agent(wiring: Wiring, service: str) -> SubmissionAgent:
    """What takes messages that are written in the web or over the API."""
    stores = wiring.stores
    signing = Signing(stores.directory, stores.clock, on=stores.settings.dkim.sign)
    router = Router(
        stores.directory,
        local_delivery(wiring),
        stores.queue,
        stores.trace,
        stores.clock,
        service,
        prepare=signing.sign_for_author,
    )
    return SubmissionAgent(
        stores.directory,
        router,
        stores.trace,
        stores.settings,
        wiring.hostname,
        stores.data / "spool",
        stores.clock,
        sending_policy(stores, wiring.hostname),
    )


def api_services(wiring: Wiring, service: str = "api") -> ApiServices:
    """What the API works with."""
    stores = wiring.stores
    return ApiServices(
        administration=stores.administration,
        identification=Identification(
            stores.directory,
            stores.authenticator,
            Tokens(stores.documents, stores.clock),
            Sessions(stores.documents, stores.clock),
            Passkeys(stores.documents, stores.clock),
        ),
        mailboxes=stores.mailboxes,
        agent=submission_agent(wiring, service),
        queue=stores.queue,
        trace=stores.trace,
        bus=stores.bus,
        resolver=stores.resolver,
        settings=stores.settings,
        metrics=stores.metrics,
        clock=stores.clock,
        hostname=wiring.hostname,
        letters=Letters(stores.queue, stores.data / "spool", wiring.hostname, stores.clock),
        status=lambda: installation_status(wiring),
    )


async def start(wiring: Wiring) -> LineService:
    """Listen on the API's port, which takes TLS and, from this host, plain HTTP."""
    app = api_application(api_services(wiring))
    return await serve_http(wiring, "api", app, [listener(wiring, "api", wiring.stores.settings.port.api, "detect")])
