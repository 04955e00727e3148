"""From recipients to destinations: mailboxes here, the outbound queue for the rest.

Recipients of one message are treated one by one. What cannot be delivered here for now, after others were accepted,
waits in the queue: once anything of a message was accepted, nothing of it is lost.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias

import msgspec

from mailstead.formats.message.header import header_end
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient, RecipientResult
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.mail.routing.forwarding import Forwarding, grouped
from mailstead.mail.routing.plan import Plan, Planner
from mailstead.mail.routing.trace_fields import HEADER_LIMIT, delivered_to
from mailstead.mail.routing.vacation import AliasResponder
from mailstead.stores.directory.directory import Directory
from mailstead.stores.trace.trace import Trace, TraceEntry

Prepare: TypeAlias = Callable[[Spool], Awaitable[None]]
"""What is done to a message before it is routed: signing, where people submit it."""


class Outbound(Protocol):
    """The outbound queue as the router uses it."""

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str, *, once: str = "") -> str:
        """Keep a message for delivery, for each `once` once; durable when it returns. "" when it was kept before."""
        ...


class Router:
    """Accepts messages for recipients that were resolved at RCPT."""

    def __init__(
        self,
        directory: Directory,
        local: LocalDelivery,
        outbound: Outbound,
        trace: Trace,
        clock: Clock,
        service: str,
        *,
        prepare: Prepare | None = None,
        planner: Planner | None = None,
        forwarding: Forwarding | None = None,
        responder: AliasResponder | None = None,
    ) -> None:
        """Without `planner` no rewritten return path is known; without `forwarding` mail goes on as it came; without
        `responder` no alias answers that has no mailbox (mailboxes answer when they take a message).
        """
        self._responder = responder
        self._planner = planner or Planner(directory, None, ForwardSettings())
        self._forwarding = forwarding
        self._local = local
        self._outbound = outbound
        self._trace = trace
        self._clock = clock
        self._service = service
        self._prepare = prepare

    async def accept(self, envelope: Envelope, message: Spool, trace_id: str) -> list[RecipientResult]:
        """Deliver or queue for every recipient; one result each, in order. Durable where it says so."""
        if self._prepare is not None:
            # before anybody gets it: what the queue delivers later is the same to the octet, and known for the same
            await self._prepare(message)
        if envelope.release_at > self._clock.now():
            return await self._keep(envelope, message, trace_id)
        start = message.start(HEADER_LIMIT)
        marks = delivered_to(start[: header_end(start, 0, len(start))])
        plans = [await self._planner.plan(recipient, marks) for recipient in envelope.recipients]
        mailboxes: dict[str, LocalRecipient] = {}
        for plan in plans:
            for target in plan.mailboxes:
                mailboxes.setdefault(target.destination.mailbox_id, target)
        by_mailbox: dict[str, RecipientResult] = {}
        if mailboxes:
            results = await self._local.deliver(envelope.sender, list(mailboxes.values()), message, trace_id)
            by_mailbox = dict(zip(mailboxes, results, strict=True))
        queued = await self._enqueue(envelope, plans, by_mailbox, message, trace_id)
        for plan in plans:
            await self._answer(envelope, plan, message, trace_id)
        return [self._result(plan, by_mailbox, queued) for plan in plans]

    async def _keep(self, envelope: Envelope, message: Spool, trace_id: str) -> list[RecipientResult]:
        """Queue a message whose time has not come, for everybody: where it leads to is found out then."""
        queue_id = await self._outbound.enqueue(envelope, message, trace_id)
        addresses = tuple(recipient.address for recipient in envelope.recipients)
        when = datetime.fromtimestamp(envelope.release_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._trace.record(
            TraceEntry(
                trace_id=trace_id,
                at=self._clock.now(),
                service=self._service,
                event="queued",
                text=f"waits until {when} in the queue as {queue_id} for {', '.join(addresses)}",
                keys=(*addresses, queue_id),
            )
        )
        return [RecipientResult(address, "queued", 250, "2.0.0", f"Sent at {when}") for address in addresses]

    async def _enqueue(
        self,
        envelope: Envelope,
        plans: Sequence[Plan],
        by_mailbox: dict[str, RecipientResult],
        message: Spool,
        trace_id: str,
    ) -> bool:
        """Queue remote recipients, and what has to wait or to be told when others were served; whether any was."""
        going_on = {(target.address.lower(), target.via): target for plan in plans for target in plan.remote}
        waiting: dict[tuple[str, str], EnvelopeRecipient] = {}
        if going_on or any(result.outcome == "delivered" for result in by_mailbox.values()):
            # the one reply says 250: a worker tries again, or tells the sender
            for plan in plans:
                for target in plan.mailboxes:
                    mailbox_id = target.destination.mailbox_id
                    if by_mailbox[mailbox_id].outcome != "delivered":
                        waiting.setdefault(("", mailbox_id), plan.in_mailbox(target))
                for dead in plan.dead:
                    waiting.setdefault((dead.address.lower(), ""), plan.at(dead.address))
        for group in grouped([one for one in going_on.values() if one.alias and self._forwarding is not None]):
            await self._forward(envelope, group, message, trace_id)
        waiting |= {key: one for key, one in going_on.items() if not one.alias or self._forwarding is None}
        if waiting:
            queued = msgspec.structs.replace(envelope, recipients=tuple(waiting.values()))
            queue_id = await self._outbound.enqueue(queued, message, trace_id)
            self._note_queued(queued, queue_id, trace_id)
        return bool(going_on or waiting)

    async def _answer(self, envelope: Envelope, plan: Plan, message: Spool, trace_id: str) -> None:
        """A vacation reply for what is passed on only; the message is accepted, whatever comes of it."""
        alias = plan.alias
        if self._responder is None or alias is None or alias.mailbox_id or not plan.remote:
            return
        address = plan.recipient.address
        try:
            words = await self._responder.answer(alias, address, envelope.sender, message, trace_id)
        except (TemporaryError, OSError) as error:
            words = f"No vacation reply: {error}"
        if words:
            self._trace.record(
                TraceEntry(
                    trace_id=trace_id,
                    at=self._clock.now(),
                    service=self._service,
                    event="answered",
                    text=words,
                    keys=(address,),
                )
            )

    async def _forward(
        self, envelope: Envelope, recipients: tuple[EnvelopeRecipient, ...], message: Spool, trace_id: str
    ) -> None:
        """Queue what goes on through one alias; a message that was queued before is not queued again."""
        assert self._forwarding is not None
        parcel = await self._forwarding.prepare(envelope, recipients, message, recipients[0].alias)
        queue_id = await self._outbound.enqueue(parcel.envelope, parcel.message, trace_id, once=parcel.once)
        self._note_queued(parcel.envelope, queue_id, trace_id)

    def _note_queued(self, envelope: Envelope, queue_id: str, trace_id: str) -> None:
        addresses = tuple(recipient.address for recipient in envelope.recipients)
        places = ", ".join(recipient.via or recipient.address for recipient in envelope.recipients)
        text = f"waits in the queue as {queue_id} for {places}"
        if not queue_id:
            text = f"was passed on to {places} before: its sender sends it once more"
        self._trace.record(
            TraceEntry(
                trace_id=trace_id,
                at=self._clock.now(),
                service=self._service,
                event="queued",
                text=text,
                keys=(*addresses, queue_id) if queue_id else addresses,
            )
        )

    @staticmethod
    def _result(plan: Plan, by_mailbox: dict[str, RecipientResult], queued: bool) -> RecipientResult:
        address = plan.recipient.address
        results = [by_mailbox[target.destination.mailbox_id] for target in plan.mailboxes]
        if any(result.outcome == "delivered" for result in results):
            return RecipientResult(address, "delivered", 250, "2.1.5", "Delivered")
        if plan.remote or (queued and (results or plan.dead)):
            return RecipientResult(address, "queued", 250, "2.0.0", "Queued")
        if results:
            first = results[0]
            return msgspec.structs.replace(first, address=address)
        if plan.dropped:
            return RecipientResult(address, "dropped", 250, "2.1.5", "Accepted")
        if plan.dead:
            dead = plan.dead[0]
            outcome: Literal["failed", "deferred"] = "failed" if dead.code >= 500 else "deferred"
            return RecipientResult(address, outcome, dead.code, dead.status, dead.text)
        return RecipientResult(address, "failed", 550, "5.4.6", "The address leads nowhere")
