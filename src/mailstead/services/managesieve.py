"""The managesieve service."""

from typing import Any

from mailstead.administration.actor import Actor
from mailstead.protocols.managesieve.server import TOO_MANY, sieve_handler
from mailstead.protocols.managesieve.session import SieveServices
from mailstead.services.definition import Wiring
from mailstead.services.lines import LineService, listener, serve_lines


async def start(wiring: Wiring) -> LineService:
    """Listen on the ManageSieve port."""
    stores = wiring.stores

    async def record(address: str, action: str, **detail: Any) -> None:
        await stores.administration.audit(Actor(address, "user"), action, address, **detail)

    services = SieveServices(
        stores.authenticator, stores.directory, stores.scripts, stores.settings, stores.metrics, record
    )
    listeners = [listener(wiring, "sieve", stores.settings.port.sieve, "starttls")]
    return await serve_lines(wiring, "sieve", sieve_handler(services), listeners, TOO_MANY)
