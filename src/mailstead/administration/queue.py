"""The outbound queue as people see and change it."""

from collections.abc import Awaitable, Callable

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.mail.outbound.queue import Done, OutboundQueue
from mailstead.mail.outbound.records import Consignment


class Changed(msgspec.Struct, frozen=True):
    """What an action did, by consignments: `done`; `busy`, being tried at that moment; `unchanged`, nothing to do."""

    queue_id: str
    done: int = 0
    busy: int = 0
    unchanged: int = 0


async def list_queue(
    actor: Actor, queue: OutboundQueue, *, limit: int, destination: str | None = None
) -> list[Consignment]:
    """At most `limit` consignments, the oldest first. Raises PermissionDeniedError."""
    require_admin(actor)
    return await queue.list_all(limit, destination=destination)


async def show_queued(actor: Actor, queue: OutboundQueue, queue_id: str) -> list[Consignment]:
    """The consignments of one message. Raises NotFoundError, PermissionDeniedError."""
    require_admin(actor)
    return await queue.show(queue_id)


async def retry_queued(administration: Administration, actor: Actor, queue: OutboundQueue, queue_id: str) -> Changed:
    """Try a message now. Raises NotFoundError, PermissionDeniedError."""
    return await _each(administration, actor, queue, queue_id, "retry", queue.retry)


async def hold_queued(administration: Administration, actor: Actor, queue: OutboundQueue, queue_id: str) -> Changed:
    """Keep a message from being tried; what is being tried is held after that. Raises as above."""
    return await _each(administration, actor, queue, queue_id, "hold", queue.hold)


async def release_queued(administration: Administration, actor: Actor, queue: OutboundQueue, queue_id: str) -> Changed:
    """End a hold. Raises as above."""
    return await _each(administration, actor, queue, queue_id, "release", queue.release)


async def drop_queued(administration: Administration, actor: Actor, queue: OutboundQueue, queue_id: str) -> Changed:
    """Forget a message, nobody is told; what is being tried may arrive yet. Raises as above."""
    return await _each(administration, actor, queue, queue_id, "drop", queue.drop)


async def _each(
    administration: Administration,
    actor: Actor,
    queue: OutboundQueue,
    queue_id: str,
    what: str,
    action: Callable[[Consignment], Awaitable[Done]],
) -> Changed:
    require_admin(actor)
    counts: dict[Done, int] = {"done": 0, "busy": 0, "unchanged": 0}
    for consignment in await queue.show(queue_id):
        counts[await action(consignment)] += 1
    await administration.audit(actor, f"queue.{what}", queue_id, **counts)
    return Changed(queue_id, **counts)
