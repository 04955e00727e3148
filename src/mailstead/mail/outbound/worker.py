"""The workers: claim what is due, try it, settle it.

Fairness: each destination has at most `per_destination` claims of this process at once, and due consignments are
claimed per destination in turn, so that a hundred thousand messages to one domain do not stop the mail to another.
A claim is a lease: when its worker dies, it is due again after the lease, and nothing was taken off the disk.
"""

import asyncio
import os
from collections import Counter

import msgspec
import structlog

from mailstead.formats.message.delivery_status import Action
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import EnvelopeRecipient, RecipientResult
from mailstead.mail.outbound.bounce import Notices, Settled
from mailstead.mail.outbound.queue import CHANNEL, OutboundQueue
from mailstead.mail.outbound.records import LOCAL, Consignment, from_document
from mailstead.mail.outbound.retry import next_pause
from mailstead.mail.outbound.transport import Transport, Verdict
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.directory import Directory
from mailstead.stores.trace.trace import Trace, TraceEntry

log = structlog.get_logger("mailstead.queue")
_LOOK_AHEAD = 200


class OutboundWorker:
    """Delivers from the queue until drained."""

    def __init__(
        self,
        queue: OutboundQueue,
        transport: Transport,
        local: LocalDelivery,
        directory: Directory,
        notices: Notices,
        bus: Bus,
        trace: Trace,
        settings: QueueSettings,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._local = local
        self._directory = directory
        self._notices = notices
        self._bus = bus
        self._trace = trace
        self._settings = settings
        self._clock = clock
        self._name = f"{os.uname().nodename}-{os.getpid()}-{new_ulid()}"
        self._wake = asyncio.Event()
        self._draining = False
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until `drain`."""
        subscription = await self._bus.subscribe(CHANNEL, lambda _, __: self._wake.set(), on_gap=self._wake.set)
        try:
            await self._queue.sweep()
            while not self._draining:
                self._wake.clear()
                if not await self._start_some():
                    try:
                        async with asyncio.timeout(self._settings.poll):
                            await self._wake.wait()
                    except TimeoutError:
                        continue
        finally:
            subscription.close()
            if self._tasks:
                await asyncio.wait(set(self._tasks))

    async def drain(self, timeout: float) -> None:
        """Claim nothing more, and give attempts that are under way `timeout` seconds."""
        self._draining = True
        self._wake.set()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=timeout)
            for task in late:
                task.cancel()  # its lease runs out, or the release below ends it

    async def _start_some(self) -> int:
        """Give back expired leases, then claim one consignment of each destination that has room."""
        now = self._clock.now()
        consignments = self._queue.consignments
        while (
            await consignments.claim(
                {"state": "claimed", "lease_until": {"$lt": now}}, {"state": "ready", "due_at": now, "worker": ""}
            )
            is not None
        ):
            log.warning("work of a dead worker given back")
        due = await consignments.find(
            {"state": "ready", "due_at": {"$lte": now}}, order=[("due_at", 1)], limit=_LOOK_AHEAD
        )
        destinations = list(dict.fromkeys(str(document["destination"]) for document in due))
        full = [name for name in destinations if self._busy[name] >= self._settings.per_destination]
        if len(due) == _LOOK_AHEAD and full:
            # the front of the queue is full of busy destinations: look past each of them
            destinations = [str(name) for name in await consignments.distinct("destination", {"state": "ready"})]
        started = 0
        for destination in destinations:
            if len(self._tasks) >= self._settings.workers:
                break
            if self._busy[destination] >= self._settings.per_destination:
                continue
            claimed = await consignments.claim(
                {"state": "ready", "destination": destination, "due_at": {"$lte": now}},
                {"state": "claimed", "worker": self._name, "lease_until": now + self._settings.lease},
                order=[("due_at", 1)],
            )
            if claimed is None:
                continue
            consignment = from_document(claimed)
            self._busy[destination] += 1
            task = asyncio.get_running_loop().create_task(self._work(consignment))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            started += 1
        return started

    async def _work(self, consignment: Consignment) -> None:
        try:
            if consignment.destination == LOCAL:
                verdicts = await self._deliver_here(consignment)
            else:
                verdicts = await self._transport.attempt(
                    consignment.destination,
                    consignment.envelope,
                    lambda: self._queue.read(consignment.queue_id),
                    consignment.size,
                )
            await self._settle(consignment, verdicts)
        except asyncio.CancelledError:
            await self._give_back(consignment)
            raise
        except FileNotFoundError:
            log.error("message file is gone, consignment dropped", queue_id=consignment.queue_id)
            await self._queue.settle(consignment)
        finally:
            self._busy[consignment.destination] -= 1
            if self._busy[consignment.destination] <= 0:
                del self._busy[consignment.destination]
            self._wake.set()

    async def _give_back(self, consignment: Consignment) -> None:
        await self._queue.consignments.claim(
            {"id": consignment.id, "worker": self._name}, {"state": "ready", "worker": ""}
        )

    async def _deliver_here(self, consignment: Consignment) -> list[Verdict]:
        """Mail that waits for mailboxes of this installation; forwards go back into the queue by the router."""
        targets: list[tuple[EnvelopeRecipient, LocalRecipient]] = []
        verdicts: list[Verdict] = []
        for recipient in consignment.recipients:
            resolution = await self._directory.resolve(recipient.address)
            mailboxes = [one for one in resolution.destinations if one.kind == "mailbox"]
            targets += [(recipient, LocalRecipient(recipient.address, one)) for one in mailboxes]
            remote = [one for one in resolution.destinations if one.kind == "address"]
            if remote:
                verdicts.append(await self._forward(consignment, recipient, [one.address for one in remote]))
            elif not mailboxes:
                dropped = resolution.outcome == "disabled" and resolution.disabled_code == 250
                text = "accepted and dropped" if dropped else "550 5.1.1 no such recipient here"
                verdicts.append(
                    Verdict(recipient, "delivered" if dropped else "failed", 550, "5.1.1", text, "", False, False)
                )
        if targets:
            with Spool(consignment.size + 1, self._queue.path("x").parent) as spool:
                for chunk in self._queue.read(consignment.queue_id):
                    spool.append(chunk)
                results = await self._local.deliver(
                    consignment.sender, [target for _, target in targets], spool, consignment.trace_id
                )
            for (recipient, _), result in zip(targets, results, strict=True):
                verdicts.append(_from_result(recipient, result))
        return verdicts

    async def _forward(self, consignment: Consignment, recipient: EnvelopeRecipient, addresses: list[str]) -> Verdict:
        forwarded = tuple(msgspec.structs.replace(recipient, address=address) for address in addresses)
        envelope = msgspec.structs.replace(consignment.envelope, recipients=forwarded)
        with Spool(consignment.size + 1, self._queue.path("x").parent) as spool:
            for chunk in self._queue.read(consignment.queue_id):
                spool.append(chunk)
            await self._queue.enqueue(envelope, spool, consignment.trace_id)
        return Verdict(recipient, "delivered", 250, "2.0.0", "forwarded", "", True, False)

    async def _settle(self, consignment: Consignment, verdicts: list[Verdict]) -> None:
        """Write down what happened. Notices are queued before recipients are struck off: a crash repeats, not loses."""
        now = self._clock.now()
        expired = now - consignment.queued_at >= self._settings.lifetime
        settled: dict[str, list[Settled]] = {"failed": [], "relayed": [], "delivered": []}
        waiting: list[EnvelopeRecipient] = []
        for verdict in verdicts:
            self._note(consignment, verdict)
            if verdict.outcome == "deferred" and not expired:
                waiting.append(verdict.recipient)
            elif verdict.outcome == "delivered":
                if consignment.destination == LOCAL:
                    settled["delivered"].append(_told(verdict, "delivered"))
                elif not verdict.relayed_dsn:
                    settled["relayed"].append(_told(verdict, "relayed"))
            else:
                settled["failed"].append(_told(verdict, "failed"))
        for told in settled.values():
            if told:
                await self._notices.send(consignment, told)
        if not waiting:
            await self._queue.settle(consignment)
            return
        late = self._settings.delay_notice
        tell = bool(late) and not consignment.notified_delay and now - consignment.queued_at >= late
        if tell:
            delayed = [_told(verdict, "delayed") for verdict in verdicts if verdict.outcome == "deferred"]
            await self._notices.send(consignment, delayed, retry_until=consignment.queued_at + self._settings.lifetime)
        pause = next_pause(consignment.attempts + 1, self._settings)
        envelope = msgspec.structs.replace(consignment.envelope, recipients=tuple(waiting))
        await self._queue.consignments.claim(
            {"id": consignment.id, "worker": self._name},
            {
                "state": "ready",
                "worker": "",
                "due_at": now + pause,
                "attempts": consignment.attempts + 1,
                "envelope": msgspec.to_builtins(envelope),
                "last_error": next(verdict.text for verdict in verdicts if verdict.outcome == "deferred")[:500],
                "notified_delay": consignment.notified_delay or tell,
            },
        )

    def _note(self, consignment: Consignment, verdict: Verdict) -> None:
        events = {"delivered": "delivered", "failed": "bounced", "deferred": "deferred"}
        words = {
            "delivered": f"handed to {verdict.remote_host or 'the mailbox'}",
            "failed": f"refused by {verdict.remote_host or 'this host'}",
            "deferred": f"not taken yet by {verdict.remote_host or consignment.destination}",
        }
        tls = " over TLS" if verdict.encrypted else ""
        self._trace.record(
            TraceEntry(
                trace_id=consignment.trace_id,
                at=self._clock.now(),
                service="smtp",
                event=events[verdict.outcome],
                text=f"{verdict.recipient.address}: {words[verdict.outcome]}{tls}: {verdict.text}",
                keys=(verdict.recipient.address, consignment.sender, consignment.queue_id),
                detail={"attempt": consignment.attempts + 1, "host": verdict.remote_host},
            )
        )


def _told(verdict: Verdict, action: Action) -> Settled:
    status = verdict.status
    if action == "failed" and status.startswith("4"):
        status = "4.4.7"  # tried for as long as the queue keeps messages (RFC 3463 §3.5)
    return Settled(
        recipient=verdict.recipient,
        action=action,
        status=status,
        remote_host=verdict.remote_host,
        diagnostic=verdict.text,
    )


def _from_result(recipient: EnvelopeRecipient, result: RecipientResult) -> Verdict:
    outcome = "delivered" if result.accepted else result.outcome
    text = f"{result.smtp_code} {result.enhanced_code} {result.text}"
    return Verdict(recipient, outcome, result.smtp_code, result.enhanced_code, text, "", True, False)
