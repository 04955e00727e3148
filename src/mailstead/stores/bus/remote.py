"""The bus behind a link: what happens while the link is lost, and how it comes back.

After a loss, calls wait a moment (`takeover_wait`) because another process may be taking over; then the setting
`on_loss` decides. When a link is there again, every subscription is made anew before anything else, leases this process
held are claimed again with their tokens, and everyone here is told of the gap. If events of this process were lost to
others who noticed nothing, an event on GAP_CHANNEL tells them.
"""

import asyncio
import random
from typing import Any, NamedTuple

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.entries import Entries
from mailstead.stores.bus.interface import (
    BusLostError,
    Callback,
    OnGap,
    check_duration,
    check_name,
    check_payload,
)
from mailstead.stores.bus.link import Connector, Link, LinkLostError
from mailstead.stores.bus.subscriptions import LocalSubscription, Subscriptions

GAP_CHANNEL = "bus.gap"
_FIRST_PAUSE = 0.02

_log = structlog.get_logger("mailstead.bus")


class _Held(NamedTuple):
    owner: str
    token: int
    end: float


class RemoteBus:
    """The contract's bus over links that `connect` makes; `place` names the other side in log lines."""

    def __init__(self, connect: Connector, place: str, settings: BusSettings, clock: Clock) -> None:
        self._connect = connect
        self._place = place
        self._settings = settings
        self._clock = clock
        self._subscriptions = Subscriptions(self._unused)
        self._entries = Entries(clock, settings.entry_limit)  # used while the link is lost
        self._leases: dict[str, _Held] = {}
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self._tried = asyncio.Event()
        self._lost_at = float("-inf")
        self._unheard = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_linked(self) -> bool:
        """Whether the bus is there now."""
        return self._link is not None

    async def open(self) -> None:
        """Connect; returns after the first attempt, whatever came of it."""
        self._task = asyncio.get_running_loop().create_task(self._stay_linked())
        await self._tried.wait()

    async def close(self) -> None:
        """End all subscriptions and let go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._subscriptions.close()
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def publish(self, channel: str, payload: bytes) -> None:
        """Send an event."""
        check_name(channel)
        check_payload(payload, self._settings.payload_limit)
        link = self._link
        if link is not None:
            try:
                await link.call("publish", channel, payload)
            except LinkLostError as error:
                self._drop(link, error)
            else:
                return
        self._unheard = True
        if self._settings.on_loss == "closed":
            raise BusLostError(detail=self._place)
        self._subscriptions.dispatch(channel, payload)

    async def subscribe(self, channel: str, callback: Callback, *, on_gap: OnGap | None = None) -> LocalSubscription:
        """Listen; while the bus is lost and may be, effective with the call of `on_gap` when it is back."""
        subscription = self._subscriptions.add(check_name(channel), callback, on_gap)
        link = self._link
        try:
            if link is None and self._settings.on_loss == "closed":
                raise BusLostError(detail=self._place)
            if link is not None and channel not in link.listening:
                await link.listen(channel)
        except LinkLostError as error:
            assert link is not None
            self._drop(link, error)
            if self._settings.on_loss == "closed":
                subscription.close()
                raise BusLostError(detail=self._place) from error
        except BaseException:
            subscription.close()
            raise
        return subscription

    async def increment(self, key: str, expires_in: float, amount: int = 1) -> int:
        """Add to a counter."""
        return int(await self._call("increment", check_name(key), check_duration(expires_in), amount))

    async def counter(self, key: str) -> int:
        """A counter's value."""
        return int(await self._call("counter", check_name(key)))

    async def acquire(self, lease: str, owner: str, seconds: float) -> int:
        """Take or extend a lease."""
        check_name(lease)
        token = int(await self._call("acquire", lease, check_name(owner), check_duration(seconds), 0))
        if token:
            self._leases[lease] = _Held(owner, token, self._clock.monotonic() + seconds)
        return token

    async def renew(self, lease: str, owner: str, seconds: float) -> bool:
        """Extend a lease."""
        check_name(lease)
        renewed = bool(await self._call("renew", lease, check_name(owner), check_duration(seconds)))
        held = self._leases.get(lease)
        if held is not None and held.owner == owner:
            if renewed:
                self._leases[lease] = held._replace(end=self._clock.monotonic() + seconds)
            else:
                del self._leases[lease]
        return renewed

    async def release(self, lease: str, owner: str) -> bool:
        """Give a lease back."""
        held = self._leases.get(check_name(lease))
        if held is not None and held.owner == owner:
            del self._leases[lease]
        return bool(await self._call("release", lease, check_name(owner)))

    async def store(self, key: str, value: bytes, expires_in: float) -> None:
        """Keep a value."""
        checked = check_payload(value, self._settings.payload_limit)
        await self._call("store", check_name(key), checked, check_duration(expires_in))

    async def fetch(self, key: str) -> bytes | None:
        """The value kept."""
        value: bytes | None = await self._call("fetch", check_name(key))
        return value

    async def discard(self, key: str) -> bool:
        """Forget a value."""
        return bool(await self._call("discard", check_name(key)))

    async def _call(self, operation: str, *arguments: Any) -> Any:
        for _ in range(2):
            link = self._link or await self._wait_for_link()
            if link is None:
                break
            try:
                return await link.call(operation, *arguments)
            except LinkLostError as error:
                self._drop(link, error)
        if self._settings.on_loss == "closed":
            raise BusLostError(detail=self._place)
        return getattr(self._entries, operation)(*arguments)

    async def _wait_for_link(self) -> Link | None:
        """The next link when it comes soon after the last one's loss."""
        left = self._lost_at + self._settings.takeover_wait - self._clock.monotonic()
        if left > 0:
            try:
                async with asyncio.timeout(left):
                    await self._linked.wait()
            except TimeoutError:
                return None
        return self._link

    def _drop(self, link: Link, error: LinkLostError | None) -> None:
        link.lost.set()
        if self._link is not link:
            return
        self._link = None
        self._linked.clear()
        self._lost_at = now = self._clock.monotonic()
        _log.warning("bus.lost", place=self._place, error=str(error or "closed"))
        self._entries.clear()
        for lease, held in self._living_leases().items():
            self._entries.acquire(lease, held.owner, held.end - now, held.token)

    def _living_leases(self) -> dict[str, _Held]:
        now = self._clock.monotonic()
        self._leases = {lease: held for lease, held in self._leases.items() if held.end > now}
        return self._leases

    def _deliver(self, pattern: str, channel: str, payload: bytes) -> None:
        if pattern == GAP_CHANNEL:
            self._subscriptions.tell_gap()
        elif channel != GAP_CHANNEL:
            self._subscriptions.dispatch_pattern(pattern, channel, payload)

    def _unused(self, pattern: str) -> None:
        if self._link is not None:
            self._link.forget(pattern)

    async def _stay_linked(self) -> None:
        pause, came_back = _FIRST_PAUSE, False
        while True:
            try:
                link = await self._connect(self._deliver)
                await self._resume(link, came_back)
            except LinkLostError as error:
                if not self._tried.is_set():
                    _log.warning("bus.unreachable", place=self._place, error=str(error))
                    came_back = True
                    self._tried.set()
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 spreads attempts, guards nothing
                pause = min(pause * 2, self._settings.retry_interval)
                continue
            pause, came_back = _FIRST_PAUSE, True
            await self._watch(link)
            self._drop(link, None)
            await link.close()

    async def _resume(self, link: Link, came_back: bool) -> None:
        try:
            while missing := {GAP_CHANNEL, *self._subscriptions.patterns()} - link.listening:
                for pattern in missing:
                    await link.listen(pattern)
            now = self._clock.monotonic()
            for lease, held in list(self._living_leases().items()):
                if not await link.call("acquire", lease, held.owner, held.end - now, held.token):
                    self._leases.pop(lease, None)
        except (LinkLostError, BusLostError) as error:
            await link.close()
            raise LinkLostError(str(error)) from error
        except asyncio.CancelledError:
            await link.close()
            raise
        self._link = link
        self._linked.set()
        self._tried.set()
        if came_back:
            _log.info("bus.back", place=self._place)
            self._subscriptions.tell_gap()

    async def _watch(self, link: Link) -> None:
        """Until `link` is lost."""
        try:
            if self._unheard:
                self._unheard = False
                await link.call("publish", GAP_CHANNEL, b"")
            while True:
                try:
                    async with asyncio.timeout(self._settings.probe_interval):
                        await link.lost.wait()
                    return
                except TimeoutError:
                    await link.call("ping")
        except (LinkLostError, BusLostError):
            return
