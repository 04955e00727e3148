"""The job that looks whether DNS still lets each domain send."""

from mailstead.mail.sending.proof import is_special_use
from mailstead.services.definition import Wiring
from mailstead.services.policy import sending_policy
from mailstead.stores.directory.records import Domain


async def look_at_proofs(wiring: Wiring) -> str:
    """Look at every domain; those under names of special use are none of DNS's. Raises StoreUnavailableError."""
    proofs = sending_policy(wiring.stores, wiring.hostname).proofs
    right, wrong = 0, []
    for domain in await wiring.stores.directory.find(Domain):
        if is_special_use(domain.id):
            continue
        if (await proofs.look(domain)).proof.lacking:
            wrong.append(domain.id)
        else:
            right += 1
    names = f": {', '.join(wrong[:10])}" if wrong else ""
    return f"{right} domains right, {len(wrong)} lack records{names}"
