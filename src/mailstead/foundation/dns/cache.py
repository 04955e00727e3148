"""Answers kept for as long as they may be, within a bound of number and size."""

from collections import OrderedDict

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import Answer, ResolutionError

Question = tuple[str, str]
Outcome = Answer | ResolutionError
_ENTRY_OCTETS = 400  # what an entry costs besides its records
_FAILURE_MOST = 300.0  # RFC 2308 §7.1


class AnswerCache:
    """Least recently used answers go first when there is no room.

    An answer from an attacker's domain may be as large as DNS allows, so octets are bounded and not only entries.
    """

    def __init__(self, settings: DnsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._entries: OrderedDict[Question, tuple[float, int, Outcome]] = OrderedDict()
        self._octets = 0

    def get(self, question: Question) -> Outcome | None:
        """What is known now, with the time to live that is left."""
        entry = self._entries.get(question)
        if entry is None:
            return None
        left = entry[0] - self._clock.monotonic()
        if left <= 0:
            self._drop(question)
            return None
        self._entries.move_to_end(question)
        outcome = entry[2]
        return outcome if isinstance(outcome, ResolutionError) else outcome.aged(left)

    def put(self, question: Question, answer: Answer) -> None:
        """Keep an answer for its time to live."""
        self._put(question, answer, answer.ttl, _ENTRY_OCTETS + sum(len(record) for record in answer.records))

    def put_failure(self, question: Question, error: ResolutionError) -> None:
        """Keep for a moment that nobody answered: servers in trouble are not asked at once again (RFC 2308 §7.1)."""
        self._put(question, error, min(self._settings.cache_failure, _FAILURE_MOST), _ENTRY_OCTETS)

    def _put(self, question: Question, outcome: Outcome, seconds: float, octets: int) -> None:
        if question in self._entries:
            self._drop(question)
        if seconds <= 0 or octets > self._settings.cache_size:
            return
        self._entries[question] = (self._clock.monotonic() + seconds, octets, outcome)
        self._octets += octets
        while self._octets > self._settings.cache_size or len(self._entries) > self._settings.cache_entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, question: Question) -> None:
        self._octets -= self._entries.pop(question)[1]

    def __len__(self) -> int:
        return len(self._entries)
