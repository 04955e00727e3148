"""From recipients to destinations: mailboxes here, the outbound queue for the rest.

Recipients of one message are treated one by one. What cannot be delivered here for now, after others were accepted,
waits in the queue: once anything of a message was accepted, nothing of it is lost.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient, RecipientResult
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.stores.directory.directory import Directory
from mailstead.stores.trace.trace import Trace, TraceEntry

DEPTH_LIMIT = 10
DESTINATIONS_LIMIT = 200


class Outbound(Protocol):
    """The outbound queue as the router uses it."""

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str) -> str:
        """Keep a message for delivery; durable when it returns."""
        ...


class _Plan(msgspec.Struct):
    """Where one recipient's mail goes."""

    recipient: EnvelopeRecipient
    mailboxes: list[LocalRecipient]
    remote: list[EnvelopeRecipient]
    dropped: bool = False
    problem: str = ""


class Router:
    """Accepts messages for recipients that were resolved at RCPT."""

    def __init__(
        self, directory: Directory, local: LocalDelivery, outbound: Outbound, trace: Trace, clock: Clock, service: str
    ) -> None:
        self._directory = directory
        self._local = local
        self._outbound = outbound
        self._trace = trace
        self._clock = clock
        self._service = service

    async def accept(self, envelope: Envelope, message: Spool, trace_id: str) -> list[RecipientResult]:
        """Deliver or queue for every recipient; one result each, in order. Durable where it says so."""
        plans = [await self._plan(recipient) for recipient in envelope.recipients]
        mailboxes: dict[str, LocalRecipient] = {}
        for plan in plans:
            for target in plan.mailboxes:
                mailboxes.setdefault(target.destination.mailbox_id, target)
        by_mailbox: dict[str, RecipientResult] = {}
        if mailboxes:
            results = await self._local.deliver(envelope.sender, list(mailboxes.values()), message, trace_id)
            by_mailbox = dict(zip(mailboxes, results, strict=True))
        queued = await self._enqueue(envelope, plans, by_mailbox, message, trace_id)
        return [self._result(plan, by_mailbox, queued) for plan in plans]

    async def _plan(self, recipient: EnvelopeRecipient) -> _Plan:
        plan = _Plan(recipient, [], [])
        seen: set[str] = set()
        waiting: list[tuple[str, int]] = [(recipient.address, 0)]
        while waiting:
            address, depth = waiting.pop()
            if address.lower() in seen:
                continue
            seen.add(address.lower())
            if depth > DEPTH_LIMIT or len(seen) > DESTINATIONS_LIMIT:
                plan.problem = "forwarded too often"
                break
            resolution = await self._directory.resolve(address)
            match resolution.outcome:
                case "not_local":
                    plan.remote.append(msgspec.structs.replace(recipient, address=address))
                case "unknown":
                    plan.problem = f"{address} is not known here"
                case "disabled":
                    plan.dropped = resolution.disabled_code == 250
                    if not plan.dropped:
                        plan.problem = f"{address} takes no mail"
                case "accepted":
                    for target in resolution.destinations:
                        if target.kind == "mailbox":
                            plan.mailboxes.append(LocalRecipient(address, target))
                        else:
                            waiting.append((target.address, depth + 1))
        return plan

    async def _enqueue(
        self,
        envelope: Envelope,
        plans: Sequence[_Plan],
        by_mailbox: dict[str, RecipientResult],
        message: Spool,
        trace_id: str,
    ) -> bool:
        """Queue remote recipients, and local ones that have to wait when others were served; whether any was."""
        remote = {target.address.lower(): target for plan in plans for target in plan.remote}
        served = bool(remote) or any(result.outcome == "delivered" for result in by_mailbox.values())
        waiting: list[EnvelopeRecipient] = list(remote.values())
        if served:
            for plan in plans:
                outcomes = {by_mailbox[target.destination.mailbox_id].outcome for target in plan.mailboxes}
                unserved = bool(outcomes) and "delivered" not in outcomes
                if (unserved or "deferred" in outcomes or plan.problem) and not plan.remote:
                    # the one reply says 250: a worker tries again, or tells the sender
                    waiting.append(plan.recipient)
        if not waiting:
            return False
        queued = msgspec.structs.replace(envelope, recipients=tuple(waiting))
        queue_id = await self._outbound.enqueue(queued, message, trace_id)
        addresses = tuple(recipient.address for recipient in waiting)
        self._trace.record(
            TraceEntry(
                trace_id=trace_id,
                at=self._clock.now(),
                service=self._service,
                event="queued",
                text=f"waits in the queue as {queue_id} for {', '.join(addresses)}",
                keys=(*addresses, queue_id),
            )
        )
        return True

    @staticmethod
    def _result(plan: _Plan, by_mailbox: dict[str, RecipientResult], queued: bool) -> RecipientResult:
        address = plan.recipient.address
        results = [by_mailbox[target.destination.mailbox_id] for target in plan.mailboxes]
        if any(result.outcome == "delivered" for result in results):
            return RecipientResult(address, "delivered", 250, "2.1.5", "Delivered")
        if plan.remote or (queued and (results or plan.problem)):
            return RecipientResult(address, "queued", 250, "2.0.0", "Queued")
        if results:
            first = results[0]
            return msgspec.structs.replace(first, address=address)
        if plan.dropped:
            return RecipientResult(address, "dropped", 250, "2.1.5", "Accepted")
        return RecipientResult(address, "failed", 550, "5.1.1", plan.problem or "No such recipient")
