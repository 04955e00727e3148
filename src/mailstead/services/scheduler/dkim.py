"""The job that takes new DKIM keys into use: not before everybody who verifies can find them."""

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.dns_records import are_keys_published
from mailstead.administration.domains import activate_dkim_keys
from mailstead.services.definition import Wiring
from mailstead.stores.directory.records import Domain


async def activate_dkim(wiring: Wiring) -> str:
    """Sign with keys that wait where DNS shows all of a domain's. Raises ResolutionError when DNS does not answer."""
    stores = wiring.stores
    taken, waiting = 0, 0
    for domain in await stores.directory.find(Domain):
        if not any(key.is_waiting for key in domain.dkim_keys):
            continue
        if await are_keys_published(stores.resolver, domain):
            await activate_dkim_keys(stores.administration, COMMAND_LINE, domain.id)
            taken += 1
        else:
            waiting += 1
    return f"new keys of {taken} domains in use, of {waiting} not published yet"
