"""Who in this process listens to what."""

import asyncio
from collections.abc import Callable, Iterator

from mailstead.stores.bus.interface import Callback, OnGap


class LocalSubscription:
    """One callback; `release` is told when it closes."""

    __slots__ = ("_open", "_release", "callback", "on_gap", "pattern")

    def __init__(
        self, pattern: str, callback: Callback, on_gap: OnGap | None, release: Callable[["LocalSubscription"], None]
    ) -> None:
        self.pattern = pattern
        self.callback = callback
        self.on_gap = on_gap
        self._release = release
        self._open = True

    def close(self) -> None:
        """Call no more."""
        if self._open:
            self._open = False
            self._release(self)

    def deliver(self, channel: str, payload: bytes) -> None:
        """Call the callback, unless closed since the event was dispatched."""
        if self._open:
            self.callback(channel, payload)

    def tell_gap(self) -> None:
        """Call `on_gap`, unless closed."""
        if self._open and self.on_gap is not None:
            self.on_gap()


class Subscriptions:
    """The subscriptions of one process by pattern; `unused` is told of a pattern whose last one closed."""

    def __init__(self, unused: Callable[[str], None] | None = None) -> None:
        self._unused = unused
        self._exact: dict[str, list[LocalSubscription]] = {}
        self._prefixes: dict[str, list[LocalSubscription]] = {}

    def add(self, pattern: str, callback: Callback, on_gap: OnGap | None) -> LocalSubscription:
        """A new subscription of a channel, or of a prefix with a `*` behind it."""
        subscription = LocalSubscription(pattern, callback, on_gap, self._remove)
        self._of(pattern).setdefault(pattern.removesuffix("*"), []).append(subscription)
        return subscription

    def patterns(self) -> list[str]:
        """All patterns, once each."""
        return [*self._exact, *(prefix + "*" for prefix in self._prefixes)]

    def has(self, pattern: str) -> bool:
        """Whether anyone listens to exactly this pattern."""
        return pattern.removesuffix("*") in self._of(pattern)

    def dispatch(self, channel: str, payload: bytes) -> None:
        """Call everyone whose pattern fits, one after the other, after what runs now.

        Each is a call of its own on the loop: an error in one is the loop's to report and touches no other.
        """
        loop = asyncio.get_running_loop()
        for subscription in list(self._matching(channel)):
            loop.call_soon(subscription.deliver, channel, payload)

    def dispatch_pattern(self, pattern: str, channel: str, payload: bytes) -> None:
        """Call those of one pattern only; for engines that send an event once for each pattern."""
        loop = asyncio.get_running_loop()
        for subscription in list(self._of(pattern).get(pattern.removesuffix("*"), ())):
            loop.call_soon(subscription.deliver, channel, payload)

    def tell_gap(self) -> None:
        """Tell everyone that events may have been lost."""
        loop = asyncio.get_running_loop()
        for listening in [*self._exact.values(), *self._prefixes.values()]:
            for subscription in listening:
                loop.call_soon(subscription.tell_gap)

    def close(self) -> None:
        """Close all."""
        for listening in [*self._exact.values(), *self._prefixes.values()]:
            for subscription in list(listening):
                subscription.close()

    def _matching(self, channel: str) -> Iterator[LocalSubscription]:
        yield from self._exact.get(channel, ())
        for prefix, listening in self._prefixes.items():
            if channel.startswith(prefix):
                yield from listening

    def _of(self, pattern: str) -> dict[str, list[LocalSubscription]]:
        return self._prefixes if pattern.endswith("*") else self._exact

    def _remove(self, subscription: LocalSubscription) -> None:
        pattern = subscription.pattern
        known = self._of(pattern)
        listening = known[pattern.removesuffix("*")]
        listening.remove(subscription)
        if not listening:
            del known[pattern.removesuffix("*")]
            if self._unused is not None:
                self._unused(pattern)
