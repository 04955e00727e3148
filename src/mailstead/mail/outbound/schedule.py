"""Whose turn it is: destinations with due mail, each in turn, and those that are not to be bothered for a while."""

from collections import Counter, OrderedDict
from collections.abc import Iterable

from mailstead.foundation.clock import Clock

_RESTING_LIMIT = 10_000


class Turns:
    """Destinations that may have due mail. A hundred thousand messages to one cost the others one turn each.

    `limit` is how many deliveries one destination has at once; a destination that has them is passed over until one
    of them ends. Nothing here grows with the number of messages.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._full: set[str] = set()
        self._busy: Counter[str] = Counter()

    def add(self, destinations: Iterable[str]) -> None:
        """Mail for these may be due."""
        for destination in destinations:
            if destination not in self._full:
                self._waiting.setdefault(destination)

    def next(self) -> str | None:
        """The destination whose turn it is, which then goes to the end of the line."""
        while self._waiting:
            destination = next(iter(self._waiting))
            if self._busy[destination] < self._limit:
                self._waiting.move_to_end(destination)
                return destination
            del self._waiting[destination]
            self._full.add(destination)
        return None

    def nothing_due(self, destination: str) -> None:
        """It has no due mail after all."""
        self._waiting.pop(destination, None)

    def began(self, destination: str) -> None:
        """A delivery to it is under way."""
        self._busy[destination] += 1

    def ended(self, destination: str) -> None:
        """One of its deliveries ended."""
        self._busy[destination] -= 1
        if self._busy[destination] <= 0:
            del self._busy[destination]
        if destination in self._full:
            self._full.discard(destination)
            self._waiting.setdefault(destination)

    def busy(self, destination: str) -> int:
        """How many deliveries to it are under way."""
        return self._busy[destination]


class Resting:
    """Destinations none of whose servers could be reached a moment ago: the mail for them is not tried one by one."""

    def __init__(self, pause: float, clock: Clock) -> None:
        self._pause = pause
        self._clock = clock
        self._until: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def reason(self, destination: str) -> str:
        """What went wrong there a moment ago, "" when it may be tried."""
        until, text = self._until.get(destination, (0.0, ""))
        if not text or until > self._clock.monotonic():
            return text
        del self._until[destination]
        return ""

    def unreachable(self, destination: str, text: str) -> None:
        """None of its servers answered; `text` says why."""
        self._until[destination] = (self._clock.monotonic() + self._pause, text or "no answer")
        self._until.move_to_end(destination)
        if len(self._until) > _RESTING_LIMIT:
            self._until.popitem(last=False)

    def reached(self, destination: str) -> None:
        """One of its servers answered."""
        self._until.pop(destination, None)
