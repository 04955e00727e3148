"""The worker that delivers events: again with growing pauses while a hook does not answer, for about three days."""

import asyncio
import os
from contextlib import suppress

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.webhooks.events import CHANNEL
from mailstead.mail.webhooks.post import Hooks
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.directory import Directory
from mailstead.stores.events.deliveries import Attempt, EventDeliveries, EventDelivery, State

PAUSES = (30.0, 120.0, 600.0, 3600.0, 3 * 3600.0, 6 * 3600.0, 12 * 3600.0, 24 * 3600.0, 24 * 3600.0)
"""Seconds between attempts; after the last of them a delivery has failed, and people may send it again."""

_AT_ONCE = 8
_PER_HOOK = 2
_LEASE = 300.0  # longer than any attempt takes
_POLL = 15.0
log = structlog.get_logger("mailstead.events")


class EventWorker:
    """Delivers until drained. Several may run: a claim is for one of them."""

    def __init__(self, deliveries: EventDeliveries, directory: Directory, hooks: Hooks, bus: Bus, clock: Clock) -> None:
        self._deliveries = deliveries
        self._directory = directory
        self._hooks = hooks
        self._bus = bus
        self._clock = clock
        self._name = f"{os.uname().nodename}-{os.getpid()}-{new_ulid()}"
        self._wake = asyncio.Event()
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: dict[str, int] = {}

    async def run(self) -> None:
        """Work until `drain`; waits for the document store when that is away."""
        subscription: Subscription | None = None
        try:
            subscription = await self._bus.subscribe(CHANNEL, lambda _, __: self._wake.set(), on_gap=self._wake.set)
            while not self._draining:
                self._wake.clear()
                pause = _POLL
                try:
                    await self._start_due()
                    due = await self._deliveries.next_due()
                    if due is not None and len(self._tasks) < _AT_ONCE:
                        pause = min(max(due - self._clock.now(), 0.1), _POLL)
                except TemporaryError as error:
                    log.warning("events wait for the store", why=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            if subscription is not None:
                subscription.close()
            if self._tasks:
                await asyncio.wait(set(self._tasks))

    async def drain(self, timeout: float) -> None:
        """Begin nothing more; attempts under way get `timeout` seconds, then their claims end by themselves."""
        self._draining = True
        self._wake.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout)
        for task in self._tasks:
            task.cancel()

    async def _start_due(self) -> None:
        while len(self._tasks) < _AT_ONCE and not self._draining:
            claimed = await self._deliveries.claim(self._name, _LEASE)
            if claimed is None:
                return
            if self._busy.get(claimed.hook_id, 0) >= _PER_HOOK:
                await self._deliveries.put_off(claimed, self._clock.now() + 1.0)
                return
            self._busy[claimed.hook_id] = self._busy.get(claimed.hook_id, 0) + 1
            task = asyncio.get_running_loop().create_task(self._deliver(claimed))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an event's delivery failed in this program", exc_info=error)

    async def _deliver(self, delivery: EventDelivery) -> None:
        try:
            key = (await self._directory.webhook_key(delivery.domain)).encode()
            answer = await self._hooks.post(delivery.url, key, [delivery.body], identifier=delivery.id)
            now = self._clock.now()
            state: State = "waiting"
            due_at = now
            if answer.is_delivered:
                state = "delivered"
            elif answer.is_final or delivery.tries >= len(PAUSES):
                state = "failed"
            else:
                due_at = now + PAUSES[delivery.tries]
            await self._deliveries.settle(delivery, Attempt(now, answer.status, answer.text), state, due_at)
        except TemporaryError as error:
            log.warning("what came of an event's delivery is not written down", id=delivery.id, why=str(error))
        finally:
            left = self._busy[delivery.hook_id] - 1
            if left:
                self._busy[delivery.hook_id] = left
            else:
                del self._busy[delivery.hook_id]
