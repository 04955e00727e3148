"""Hooks of a domain: URLs that are told of its mail, and what was delivered to them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from mailstead.administration.actor import Actor, Administration, require_domain
from mailstead.administration.aliases import find_domain
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.http.url import parse_url
from mailstead.mail.webhooks.events import Events
from mailstead.stores.directory.records import Domain, EventHook, EventKind
from mailstead.stores.events.deliveries import EventDeliveries, EventDelivery

HOOKS_LIMIT = 20
BOUNCE_WEBHOOK = "bounce webhook"
"""The description of the one hook that a domain's `bounce_webhook` stands for."""


async def _own(administration: Administration, actor: Actor, name: str) -> Domain:
    domain = await find_domain(administration, name)
    require_domain(actor, domain)
    return domain


def find_hook(domain: Domain, hook_id: str) -> EventHook:
    """The hook. Raises NotFoundError."""
    found = next((one for one in domain.hooks if one.id == hook_id), None)
    if found is None:
        raise NotFoundError(f"{domain.id} has no such hook")
    return found


async def _store(administration: Administration, domain: Domain, hooks: Sequence[EventHook]) -> None:
    await administration.directory.replace(msgspec.structs.replace(domain, hooks=tuple(hooks)))


async def list_hooks(administration: Administration, actor: Actor, name: str) -> tuple[EventHook, ...]:
    """A domain's hooks, oldest first. Raises NotFoundError, PermissionDeniedError."""
    return (await _own(administration, actor, name)).hooks


async def add_hook(
    administration: Administration,
    actor: Actor,
    name: str,
    url: str,
    events: Sequence[EventKind],
    description: str = "",
) -> EventHook:
    """Tell a URL of these events from now on. Raises InvalidError, NotFoundError, PermissionDeniedError."""
    domain = await _own(administration, actor, name)
    if len(domain.hooks) >= HOOKS_LIMIT:
        raise InvalidError(f"A domain has at most {HOOKS_LIMIT} hooks")
    now = administration.clock.now()
    made = EventHook(
        id=new_ulid(now),
        url=_checked(administration, url),
        events=_kinds(events),
        description=description,
        created_at=now,
    )
    await _store(administration, domain, (*domain.hooks, made))
    await administration.audit(actor, "hook.add", domain.id, hook=made.id, url=url, events=list(made.events))
    return made


async def set_hook(
    administration: Administration, actor: Actor, name: str, hook_id: str, changes: dict[str, Any]
) -> EventHook:
    """Change `url`, `events`, `description` or `enabled`. Raises as add_hook."""
    domain = await _own(administration, actor, name)
    hook = find_hook(domain, hook_id)
    if "url" in changes:
        _checked(administration, changes["url"])
    if "events" in changes:
        changes = changes | {"events": _kinds(changes["events"])}
    changed: EventHook = msgspec.structs.replace(hook, **changes)
    await _store(administration, domain, [changed if one.id == hook.id else one for one in domain.hooks])
    await administration.audit(actor, "hook.set", domain.id, hook=hook.id, changed=sorted(changes))
    return changed


async def remove_hook(
    administration: Administration, actor: Actor, deliveries: EventDeliveries, name: str, hook_id: str
) -> EventHook:
    """Tell a hook nothing more; what waits for it is dropped. Raises NotFoundError."""
    domain = await _own(administration, actor, name)
    hook = find_hook(domain, hook_id)
    await _store(administration, domain, [one for one in domain.hooks if one.id != hook.id])
    await deliveries.forget(hook.id)
    await administration.audit(actor, "hook.remove", domain.id, hook=hook.id)
    return hook


async def set_bounce_webhook(administration: Administration, actor: Actor, name: str, url: str) -> Domain:
    """The one URL that is told of bounces, as Forward Email's domains have it; none for ""."""
    domain = await _own(administration, actor, name)
    kept = [one for one in domain.hooks if one.description != BOUNCE_WEBHOOK]
    if url:
        now = administration.clock.now()
        checked = _checked(administration, url)
        kept.append(
            EventHook(id=new_ulid(now), url=checked, events=("bounce",), description=BOUNCE_WEBHOOK, created_at=now)
        )
    if len(kept) > HOOKS_LIMIT:
        raise InvalidError(f"A domain has at most {HOOKS_LIMIT} hooks")
    await _store(administration, domain, kept)
    await administration.audit(actor, "hook.set", domain.id, bounce_webhook=url)
    return await find_domain(administration, domain.id)


async def rotate_webhook_key(administration: Administration, actor: Actor, name: str) -> str:
    """Sign a domain's deliveries with a new key from now on; returns it."""
    domain = await _own(administration, actor, name)
    changed = msgspec.structs.replace(domain, webhook_key_number=domain.webhook_key_number + 1)
    await administration.directory.replace(changed)
    await administration.audit(actor, "hook.rotate-key", domain.id)
    return await administration.directory.webhook_key(domain.id)


async def webhook_key(administration: Administration, actor: Actor, name: str) -> str:
    """The key that signs a domain's deliveries."""
    domain = await _own(administration, actor, name)
    return await administration.directory.webhook_key(domain.id)


async def test_hook(administration: Administration, actor: Actor, events: Events, name: str, hook_id: str) -> str:
    """Send a test event; returns the delivery's id."""
    domain = await _own(administration, actor, name)
    return await events.test(find_hook(domain, hook_id), domain.id)


async def list_deliveries(
    administration: Administration,
    actor: Actor,
    deliveries: EventDeliveries,
    name: str,
    hook_id: str,
    *,
    state: str = "",
    limit: int,
    after: str = "",
) -> list[EventDelivery]:
    """What was sent to a hook, newest first. Raises NotFoundError, PermissionDeniedError."""
    hook = find_hook(await _own(administration, actor, name), hook_id)
    return await deliveries.of_hook(hook.id, state=state, limit=limit, after=after)


async def send_again(
    administration: Administration,
    actor: Actor,
    deliveries: EventDeliveries,
    events: Events,
    name: str,
    hook_id: str,
    delivery_id: str,
) -> EventDelivery:
    """Deliver an event once more, under the same id. Raises NotFoundError."""
    hook = find_hook(await _own(administration, actor, name), hook_id)
    known = await deliveries.get(delivery_id)
    again = await deliveries.send_again(delivery_id) if known is not None and known.hook_id == hook.id else None
    if again is None:
        raise NotFoundError("There is no such delivery")
    await events.wake()
    await administration.audit(actor, "hook.resend", name.lower(), hook=hook.id, delivery=delivery_id)
    return again


def _checked(administration: Administration, url: str) -> str:
    target = parse_url(url)
    if not target.is_secure and not administration.settings.webhook.plain_http:
        raise InvalidError("A hook is given as https://HOST[:PORT]/PATH")
    return url


def _kinds(events: Sequence[EventKind]) -> tuple[EventKind, ...]:
    if not events:
        raise InvalidError("Name at least one event")
    return tuple(dict.fromkeys(events))
