"""The worker: claim what is due, try it, write down what came of it.

One worker works a queue folder (the smtp service holds a lock on it), with many deliveries at once. Each destination
has at most `per_destination` of them and its turn among the others (schedule.py); with several nodes each counts its
own. A claim is a lease that is extended while the attempt lasts; what a dead worker had claimed is given back when the
next one starts. See records.py for what is written when.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.crypto.stream import SealError
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.mail.outbound.bounce import Notices
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.hooks import HookAttempts
from mailstead.mail.outbound.journal import Journal
from mailstead.mail.outbound.local import LocalAttempts
from mailstead.mail.outbound.queue import CHANNEL, OutboundQueue, decode_destinations
from mailstead.mail.outbound.records import HOOK, LOCAL, Consignment, Owed, OwedForward, OwedNotice
from mailstead.mail.outbound.schedule import Resting, Turns
from mailstead.mail.outbound.settlement import settle
from mailstead.mail.outbound.telling import Telling
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.outbound.verdict import Verdict
from mailstead.mail.routing.delivery import LocalDelivery
from mailstead.mail.routing.forwarding import Forwarding
from mailstead.mail.routing.plan import Planner
from mailstead.mail.sending.aftermath import Aftermath
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.directory import Directory
from mailstead.stores.trace.trace import Trace

T = TypeVar("T")
log = structlog.get_logger("mailstead.queue")
_LOOK_AHEAD = 200
_LOOK_PAUSE = 1.0  # between two looks over the whole queue
_STORE_PAUSE = 1.0  # when the document store does not answer
_LAST_MOMENTS = 2.0  # for writing down what came of attempts that a stop cut short
_IN_MEMORY = 1024 * 1024
_RESTING_SHARE = 0.8  # of the first pause: the message whose attempt failed is the one that tries again


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
        aftermath: Aftermath | None = None,
        telling: Telling | None = None,
        *,
        planner: Planner | None = None,
        forwarding: Forwarding | None = None,
        hooks: HookAttempts | None = None,
    ) -> None:
        """Without `planner` no rewritten return path is known, without `forwarding` mail goes on as it came, without
        `hooks` what is for webhooks waits.
        """
        self._forwarding = forwarding
        self._hooks = hooks
        self._queue = queue
        self._transport = transport
        self._local = LocalAttempts(planner or Planner(directory, None, ForwardSettings()), local, queue.files.folder)
        self._notices = notices
        self._bus = bus
        self._journal = Journal(trace, clock)
        self._settings = settings
        self._clock = clock
        self._aftermath = aftermath
        self._telling = telling
        self._name = f"{os.uname().nodename}-{os.getpid()}-{new_ulid()}"
        self._subscription: Subscription | None = None
        self._wake = asyncio.Event()
        self._look = True
        self._look_at = 0.0  # by the loop's clock
        self._draining = False
        self._turns = Turns(settings.per_destination)
        self._resting = Resting(settings.first_retry * _RESTING_SHARE, clock)
        self._tasks: dict[asyncio.Task[None], Consignment] = {}
        self._attempts: dict[str, asyncio.Task[Any]] = {}

    async def run(self) -> None:
        """Work until `drain`; waits for the document store when that is away."""
        heartbeat = asyncio.get_running_loop().create_task(self._keep_alive())
        try:
            await self._until_the_stores_answer(self._begin)
            while not self._draining:
                await self._until_the_stores_answer(self._turn)
        finally:
            if self._subscription is not None:
                self._subscription.close()
            while self._tasks:
                await asyncio.wait(set(self._tasks))
            heartbeat.cancel()
            await asyncio.wait([heartbeat])
            await self._transport.close()

    async def drain(self, timeout: float) -> None:
        """Claim nothing more, and give attempts that are under way `timeout` seconds; what is settled is finished."""
        self._draining = True
        self._wake.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout)
            for attempt in list(self._attempts.values()):
                attempt.cancel()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=_LAST_MOMENTS)
            for task in late:
                task.cancel()  # the store does not answer: the next worker finds the claims

    def _heard(self, _: str, payload: bytes) -> None:
        try:
            destinations = decode_destinations(payload)
        except msgspec.DecodeError:
            destinations = []
        self._turns.add(destinations)
        if not destinations:
            self._look = True
        self._wake.set()

    def _look_again(self) -> None:
        self._look = True
        self._wake.set()

    async def _until_the_stores_answer(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self._draining:
            try:
                await work()
            except TemporaryError as error:
                log.warning("the queue waits for the stores", error=str(error))
                self._look = True
                await asyncio.sleep(_STORE_PAUSE)
            else:
                return

    async def _begin(self) -> None:
        """Listen, and take over what a predecessor left: its claims are given back, what it owed is freed."""
        if self._subscription is None:
            self._subscription = await self._bus.subscribe(CHANNEL, self._heard, on_gap=self._look_again)
        now = self._clock.now()
        given_back = await self._queue.give_back_others(self._name, now)
        if given_back:
            log.warning("work of a dead worker given back", count=given_back)
        await self._queue.adopt_orphans(now + self._settings.lease + 1)
        await self._queue.sweep()

    async def _turn(self) -> None:
        """Start what can be started, then wait for news, for due mail, or for the next look."""
        loop = asyncio.get_running_loop()
        self._wake.clear()
        pause = self._settings.poll
        if self._look:
            self._look = False
            now = self._clock.now()
            self._turns.add(await self._queue.due_destinations(now, _LOOK_AHEAD))
            next_due = await self._queue.next_due(now)
            if next_due is not None:
                pause = min(pause, max(next_due - now, _LOOK_PAUSE))
            self._look_at = loop.time() + pause
        await self._start_some()
        try:
            async with asyncio.timeout_at(self._look_at):
                await self._wake.wait()
        except TimeoutError:
            self._look = True

    async def _start_some(self) -> None:
        while len(self._tasks) < self._settings.workers and not self._draining:
            destination = self._turns.next()
            if destination is None:
                return
            claimed = await self._queue.claim(destination, self._name, self._clock.now(), self._settings.lease)
            if claimed is None:
                self._turns.nothing_due(destination)
                continue
            self._turns.began(destination)
            task = asyncio.get_running_loop().create_task(self._work(claimed))
            self._tasks[task] = claimed
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        consignment = self._tasks.pop(task)
        self._turns.ended(consignment.destination)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a delivery failed in this program", queue_id=consignment.queue_id, exc_info=error)

    async def _keep_alive(self) -> None:
        """Extend the leases of what is under way; end attempts whose consignment was dropped or taken away."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            try:
                now = self._clock.now()
                for consignment in list(self._tasks.values()):
                    lease = {"lease_until": now + self._settings.lease}
                    if await self._queue.change_claimed(consignment, lease) is None:
                        attempt = self._attempts.get(consignment.id)
                        if attempt is not None:
                            attempt.cancel()
                if await self._queue.give_back_expired(now) or await self._queue.adopt_orphans(now):
                    self._look_again()
            except TemporaryError as error:
                log.warning("leases could not be extended", error=str(error))

    async def _work(self, consignment: Consignment) -> None:
        try:
            message = self._queue.read(consignment)
        except FileNotFoundError as error:
            await self._stop_without_file(consignment, error)
            return
        with message:
            if not consignment.owed:
                attempt = asyncio.get_running_loop().create_task(self._attempt(consignment, message))
                self._attempts[consignment.id] = attempt
                try:
                    await asyncio.wait([attempt])
                finally:
                    del self._attempts[consignment.id]
                if attempt.cancelled():
                    await self._store_for_certain(lambda: self._queue.give_back(consignment))
                    return
                try:
                    verdicts, forwards = attempt.result()
                except (FileNotFoundError, SealError) as error:
                    await self._stop_without_file(consignment, error)
                    return
                except (TemporaryError, OSError) as error:  # a store or a disk of ours
                    verdicts, forwards = _deferred(consignment, "4.3.0", f"451 4.3.0 {error}"), ()
                recorded = await self._record(consignment, verdicts, forwards)
                if recorded is None:
                    return
                consignment = recorded
            await self._pay(consignment, message)

    async def _attempt(
        self, consignment: Consignment, message: QueuedMessage
    ) -> tuple[list[Verdict], tuple[EnvelopeRecipient, ...]]:
        destination = consignment.destination
        if destination == LOCAL:
            attempt, forwards = await self._local.attempt(consignment, message)
            return attempt.verdicts, forwards
        if destination.startswith(HOOK):
            if self._hooks is None:
                return _deferred(consignment, "4.3.5", "451 4.3.5 this worker delivers to no webhooks"), ()
            return (await self._hooks.attempt(consignment, message)).verdicts, ()
        place = await self._transport.place(destination, consignment.envelope)
        reason = self._resting.reason(place)
        if reason and not consignment.forced:
            text = f"451 4.4.1 not tried, no server of {place} answered a moment ago: {reason}"
            return _deferred(consignment, "4.4.1", text), ()
        tried = await self._transport.attempt(destination, consignment.envelope, message)
        if tried.unreachable:
            self._resting.unreachable(place, tried.unreachable)
        else:
            self._resting.reached(place)
        return tried.verdicts, ()

    async def _record(
        self, consignment: Consignment, verdicts: list[Verdict], forwards: tuple[EnvelopeRecipient, ...]
    ) -> Consignment | None:
        """Write down what the attempt came to, first of all; None when nothing is left to do."""
        if self._aftermath is not None:
            verdicts = await self._aftermath.of(consignment, verdicts)
        settlement = settle(consignment, verdicts, forwards, self._settings, self._clock.now())
        telling = self._telling
        if telling is not None:
            given_up = settlement.given_up
            await self._store_for_certain(lambda: telling.settled(consignment, verdicts, given_up=given_up))
        for verdict in verdicts:
            self._journal.verdict(consignment, verdict)
        if not settlement.waiting and not settlement.owed:
            await self._store_for_certain(lambda: self._queue.remove(consignment))
            return None
        self._journal.settlement(consignment, settlement)
        changes = {
            "attempts": consignment.attempts + 1,
            "envelope": msgspec.to_builtins(
                msgspec.structs.replace(consignment.envelope, recipients=settlement.waiting)
            ),
            "owed": msgspec.to_builtins(settlement.owed),
            "retry_at": settlement.due_at,
            "last_error": settlement.last_error,
            "notified_delay": consignment.notified_delay or settlement.tells_of_delay,
        }
        return await self._store_for_certain(lambda: self._queue.change_claimed(consignment, changes))

    async def _pay(self, consignment: Consignment, message: QueuedMessage) -> None:
        """Queue what is owed, then finish."""
        until = self._clock.now() + self._settings.lease
        for owed in consignment.owed:
            pay = self._pay_notice if isinstance(owed, OwedNotice) else self._pay_forward
            await self._store_for_certain(partial(pay, consignment, owed, message, until))
        await self._store_for_certain(partial(self._queue.finish, consignment))

    async def _pay_notice(self, consignment: Consignment, owed: Owed, message: QueuedMessage, until: float) -> None:
        assert isinstance(owed, OwedNotice)
        await self._notices.enqueue(consignment, owed, message, until)

    async def _pay_forward(self, consignment: Consignment, owed: Owed, message: QueuedMessage, until: float) -> None:
        assert isinstance(owed, OwedForward)
        envelope = msgspec.structs.replace(consignment.envelope, recipients=owed.recipients)
        with Spool(_IN_MEMORY, self._queue.files.folder) as spool:
            for chunk in message.chunks():
                spool.append(chunk)
            copy = spool
            alias = owed.recipients[0].alias
            if alias and self._forwarding is not None:
                parcel = await self._forwarding.prepare(consignment.envelope, owed.recipients, spool, alias)
                envelope, copy = parcel.envelope, parcel.message
            await self._queue.enqueue_owed(owed.queue_id, consignment.id, envelope, copy, consignment.trace_id, until)

    async def _store_for_certain(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, tried until the store answers: what a remote server took must be written down."""
        while True:
            try:
                return await work()
            except (TemporaryError, OSError) as error:
                log.warning("the outcome of a delivery waits for the store", error=str(error))
                await asyncio.sleep(_STORE_PAUSE)

    async def _stop_without_file(self, consignment: Consignment, error: Exception) -> None:
        """Without its file a consignment is held for a person to look at: nothing is dropped."""
        log.error("message file cannot be read", queue_id=consignment.queue_id, error=str(error))
        if await self._queue.consignments.get(consignment.id) is None:
            return  # it was dropped
        self._journal.unreadable(consignment, str(error))
        held = {"state": "held", "worker": "", "last_error": f"The message file cannot be read: {error}"[:500]}
        await self._queue.change_claimed(consignment, held)


def _deferred(consignment: Consignment, status: str, text: str) -> list[Verdict]:
    return [
        Verdict(recipient=recipient, outcome="deferred", status=status, text=text)
        for recipient in consignment.recipients
    ]
