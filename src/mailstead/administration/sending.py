"""Sending policy as people see and change it: limits, relays, suppressions, and mail that is taken back."""

from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin, require_domain
from mailstead.administration.aliases import find_alias, find_domain
from mailstead.foundation.crypto.at_rest import decrypt, encrypt
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.routes import Relay, parse_relays
from mailstead.mail.sending.limits import SendingLimits, Use
from mailstead.mail.sending.proof import Proofs
from mailstead.mail.sending.suppression import Reason, Suppression, SuppressionList
from mailstead.mail.sending.undo import TakenBack, Undo, Waiting
from mailstead.stores.directory.records import Alias, Domain

_SOURCES_LIMIT = 2
_USE_LIMIT = 10_000


def _suppressions(administration: Administration) -> SuppressionList:
    return SuppressionList(administration.documents, administration.settings.sending, administration.clock)


async def list_use(administration: Administration, actor: Actor, *, address: str = "") -> list[Use]:
    """What was sent today: by one account and its domain, or (admins) by every account and domain that sent.

    Raises NotFoundError, PermissionDeniedError, BusLostError.
    """
    limits = SendingLimits(
        administration.directory,
        administration.documents,
        administration.bus,
        administration.settings.sending,
        administration.clock,
    )
    if address:
        alias = await find_alias(administration, actor, address)
        return await limits.use(alias.address, alias.domain)
    require_admin(actor)
    found: list[Use] = []
    for domain in await administration.directory.find(Domain):
        found += await limits.use("", domain.id)
    for alias in (await administration.directory.find(Alias))[:_USE_LIMIT]:
        if alias.mailbox_id:
            found += await limits.use(alias.address, "")
    return [use for use in found if use.sent]


async def set_account_limit(administration: Administration, actor: Actor, address: str, limit: int | None) -> Alias:
    """How many recipients elsewhere an account may write to a day; 0: no limit, None: the setting's.

    Raises NotFoundError, PermissionDeniedError (its domain's owner or an admin may), InvalidError.
    """
    alias = await find_alias(administration, actor, address)
    require_domain(actor, await find_domain(administration, alias.domain))
    stored = await administration.directory.replace(msgspec.structs.replace(alias, sending_limit=_limit(limit)))
    await administration.audit(actor, "sending.limit", alias.address, limit=limit)
    return stored


async def set_domain_limit(administration: Administration, actor: Actor, name: str, limit: int | None) -> Domain:
    """The same of a domain; an admin's right."""
    require_admin(actor)
    domain = await find_domain(administration, name)
    stored = await administration.directory.replace(msgspec.structs.replace(domain, sending_limit=_limit(limit)))
    await administration.audit(actor, "sending.limit", domain.id, limit=limit)
    return stored


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit < 0:
        raise InvalidError("A limit is 0 (none) or more")
    return limit


async def set_undo(administration: Administration, actor: Actor, address: str, seconds: float | None) -> Alias:
    """How long an account's mail waits so that it can be taken back; 0: not, None: the setting's. At most an hour."""
    if seconds is not None and not 0 <= seconds <= 3600:
        raise InvalidError("Mail waits 0 to 3600 seconds")
    alias = await find_alias(administration, actor, address)
    stored = await administration.directory.replace(msgspec.structs.replace(alias, undo=seconds))
    await administration.audit(actor, "sending.undo", alias.address, seconds=seconds)
    return stored


async def set_relays(administration: Administration, actor: Actor, name: str, urls: Sequence[str]) -> Domain:
    """Send a domain's mail through these relays, tried in order; () for the settings' way.

    Raises InvalidError, NotFoundError, PermissionDeniedError.
    """
    require_admin(actor)
    text = " ".join(urls)
    relays = parse_relays(text)
    domain = await find_domain(administration, name)
    kept = encrypt(administration.directory.relay_secret, text.encode(), domain.id.encode()) if relays else b""
    stored = await administration.directory.replace(msgspec.structs.replace(domain, relay=kept))
    await administration.audit(actor, "sending.relay", domain.id, relays=[f"{one.host}:{one.port}" for one in relays])
    return stored


def relays_of(administration: Administration, domain: Domain) -> tuple[Relay, ...]:
    """The relays of a domain alone; never print their passwords. Raises SealError."""
    if not domain.relay:
        return ()
    return parse_relays(decrypt(administration.directory.relay_secret, domain.relay, domain.id.encode()).decode())


async def set_source(administration: Administration, actor: Actor, name: str, addresses: Sequence[str]) -> Domain:
    """Connect from these local addresses with a domain's mail, one of each family; () for the settings'."""
    require_admin(actor)
    try:
        parsed = [ip_address(address) for address in addresses]
    except ValueError as error:
        raise InvalidError(str(error)) from None
    if len({one.version for one in parsed}) < len(parsed) or len(parsed) > _SOURCES_LIMIT:
        raise InvalidError("At most one address of each family")
    domain = await find_domain(administration, name)
    changed = msgspec.structs.replace(domain, source=tuple(str(one) for one in parsed))
    stored = await administration.directory.replace(changed)
    await administration.audit(actor, "sending.source", domain.id, source=list(stored.source))
    return stored


async def look_at_proof(administration: Administration, actor: Actor, proofs: Proofs, name: str) -> Domain:
    """Look now whether DNS lets a domain send. Raises NotFoundError, PermissionDeniedError."""
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    return await proofs.look(domain)


async def list_suppressions(
    administration: Administration, actor: Actor, *, domain: str | None = None, limit: int = 1000
) -> list[Suppression]:
    """Addresses that are not written to: of one domain (its owner may see them), or all (admins)."""
    await _require_list(administration, actor, domain)
    return await _suppressions(administration).list_all(domain=domain, limit=limit)


async def add_suppression(
    administration: Administration,
    actor: Actor,
    domain: str,
    address: str,
    *,
    reason: Reason = "manual",
    text: str = "",
) -> Suppression:
    """Put an address on the list of a domain ("" for all, admins only)."""
    await _require_list(administration, actor, domain or None)
    added = await _suppressions(administration).add(domain, address, reason, text or f"added by {actor.name}")
    await administration.audit(actor, "suppression.add", address, domain=domain)
    return added


async def remove_suppression(administration: Administration, actor: Actor, domain: str, address: str) -> None:
    """Write to an address again. Raises NotFoundError, PermissionDeniedError."""
    await _require_list(administration, actor, domain or None)
    await _suppressions(administration).remove(domain, address)
    await administration.audit(actor, "suppression.remove", address, domain=domain)


async def _require_list(administration: Administration, actor: Actor, domain: str | None) -> None:
    if domain is None:
        require_admin(actor)
    else:
        require_domain(actor, await find_domain(administration, domain))


async def show_waiting(administration: Administration, actor: Actor, queue: OutboundQueue, trace_id: str) -> Waiting:
    """A message of the actor's that waits for its time. Raises NotFoundError."""
    waiting = await Undo(queue, administration.clock).waiting(trace_id)
    if not actor.is_admin and not await administration.directory.may_send_as(actor.user_id, waiting.account):
        raise NotFoundError("No message waits to be sent as that")
    return waiting


async def send_now(administration: Administration, actor: Actor, queue: OutboundQueue, trace_id: str) -> Waiting:
    """Send a message that waits at once. Raises NotFoundError."""
    waiting = await show_waiting(administration, actor, queue, trace_id)
    for consignment in await queue.show(waiting.queue_id):
        await queue.retry(consignment)
    await administration.audit(actor, "sending.now", trace_id, account=waiting.account)
    return waiting


async def take_back(administration: Administration, actor: Actor, queue: OutboundQueue, trace_id: str) -> TakenBack:
    """Take back a message that waits: whole, or not at all. Raises NotFoundError, TooLateError."""
    await show_waiting(administration, actor, queue, trace_id)
    taken = await Undo(queue, administration.clock).take_back(trace_id)
    await administration.audit(actor, "sending.take-back", trace_id, account=taken.waiting.account)
    return taken
