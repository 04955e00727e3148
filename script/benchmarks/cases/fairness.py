"""A full queue to many domains, one of which is dead: are the others slowed?"""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.case import Context
from benchmarks.cases.queue import fill_queue, rate
from benchmarks.clients.sink import Sink, sink
from benchmarks.own import Own
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target
from support.dns_authority import Authority, dns_authority
from support.internet import blackhole

_DOMAINS = 1000
_DEAD = "127.77.1.1"
_ALL_ALIVE = "all alive"
_ROUNDS = 3


class _Queue:
    """A queue that is drained a little in each round, by a server that starts with it full."""

    def __init__(self, context: Context, authority: Authority, taken: Sink) -> None:
        self._authority = authority
        self._taken = taken
        self._size = context.size
        self._filled = 0
        self._died = 0
        settings = {"MAILSTEAD_DNS_SERVERS": authority.address, "MAILSTEAD_QUEUE_REMOTE_PORT": str(taken.port)}
        self._own = Own(context.folder / "own", settings)
        self._own.server.data.parent.mkdir(parents=True)
        self._own.add_accounts(["alice"])

    def _drain(self) -> float:
        missing = self._size.queued - self._own.with_stores(lambda stores: stores.queue.count())
        if missing > 0:  # what earlier rounds took
            fill_queue(self._own, missing, _DOMAINS, first=self._filled)
            self._filled += missing
        already = self._taken.count
        self._own.start()
        try:
            return rate(self._taken, already, self._size.drained)
        finally:
            self._own.server.stop()

    def alive(self) -> float:
        """Messages a second with every domain reached."""
        return self._drain()

    def with_a_dead_one(self) -> float:
        """The same with one domain whose host neither takes nor refuses connections: another one in each round."""
        host = f"mx{self._died}.example"
        self._authority.put(host, "A", _DEAD)
        self._died += 1
        try:
            return self._drain()
        finally:
            self._authority.put(host, "A", "127.0.0.1")


@contextmanager
def _queue(context: Context) -> Iterator[_Queue]:
    zone: dict[str, dict[str, str]] = {}
    for number in range(_DOMAINS):
        zone[f"domain{number}.example"] = {"MX": f"10 mx{number}.example."}
        zone[f"mx{number}.example"] = {"A": "127.0.0.1"}
    with dns_authority(zone) as authority, sink() as taken:
        sockets = blackhole(_DEAD, taken.port)
        try:
            yield _Queue(context, authority, taken)
        finally:
            for one in sockets:
                one.close()


def run(context: Context) -> Table:
    """Drain in turn with all alive and with one dead."""
    size = context.size
    with _queue(context) as queue:
        rates = in_turn(min(size.rounds, _ROUNDS), {_ALL_ALIVE: queue.alive, OWN: queue.with_a_dead_one})
    row = Row(
        f"{size.drained:,} delivered, one of {_DOMAINS:,} domains dead",
        "messages/s",
        rates,
        Target(0.9, at_least=True),
        higher_is_better=True,
    )
    notes = [
        f"A queue of {size.queued:,} messages of 4 KB to {_DOMAINS:,} domains, drained in turn: with every domain reached"
        " (the column beside), and with one whose only host neither takes nor refuses connections, another one in each"
        " round. Defaults: 20 deliveries at once, 4 to one destination, 30 s for a connection.",
    ]
    return Table("Outbound queue with a dead domain", [row], notes)
