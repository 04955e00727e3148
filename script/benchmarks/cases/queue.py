"""The outbound queue: memory with a backlog, and how fast it empties."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.case import Context
from benchmarks.clients.sink import Sink, sink
from benchmarks.clients.smtp import send_all
from benchmarks.mix import Mix
from benchmarks.own import Own
from benchmarks.peers.postfix import postfix
from benchmarks.process import resident
from benchmarks.table import OWN, Row, Table
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.services.stores import Stores
from support.dns_authority import dns_authority

_DESTINATIONS = 100
_OCTETS = 4096
_AT_ONCE = 64
_LONGEST = 900.0
_PEER = "Postfix"


def _recipient(number: int, domains: int = _DESTINATIONS) -> str:
    return f"reader{number}@domain{number % domains}.example"


def fill_queue(own: Own, count: int, domains: int = _DESTINATIONS, *, first: int = 0) -> None:
    """Queue `count` messages to so many domains through the queue's own door, many at once; numbered from `first`."""
    supply = Mix(6)

    async def work(stores: Stores) -> None:
        room = asyncio.Semaphore(_AT_ONCE)

        async def enqueue(number: int) -> None:
            async with room:
                recipient = _recipient(number, domains)
                envelope = Envelope(sender="alice@example.test", recipients=(EnvelopeRecipient(recipient),))
                with Spool(1 << 20, stores.data / "spool") as spool:
                    spool.append(supply.sized(_OCTETS, recipient))
                    await stores.queue.enqueue(envelope, spool, f"bench{number}")

        async with asyncio.TaskGroup() as group:
            for number in range(first, first + count):
                group.create_task(enqueue(number))

    own.with_stores(work)


def rate(taken: Sink, already: int, count: int) -> float:
    """Messages a second from the first that comes to the last of `count`."""
    taken.wait_for(already + 1, _LONGEST)
    started, first = time.perf_counter(), taken.count
    taken.wait_for(already + count, _LONGEST)
    elapsed = max(time.perf_counter() - started, 1e-3)
    return (taken.count - first or count) / elapsed  # so few that all came at once: from before the first


def _postfix_rate(context: Context, taken: Sink) -> float:
    """The same number of messages, queued first and then let go."""
    count = context.size.drained
    supply = Mix(6)
    messages = [(_recipient(number), supply.sized(_OCTETS, _recipient(number))) for number in range(count)]
    settings = {
        "relayhost": f"[127.0.0.1]:{taken.port}",
        "defer_transports": "smtp",
        "default_destination_concurrency_limit": "20",
    }
    with postfix(context.folder / "postfix", settings) as relay:
        send_all(relay.port, messages, 20)
        relay.run("stop")
        relay.configure({"defer_transports": ""})
        already = taken.count
        relay.start()
        relay.run("flush")
        return rate(taken, already, count)


@contextmanager
def _own(context: Context, taken: Sink, authority: str) -> Iterator[Own]:
    """Mailstead with a full queue, just started."""
    settings = {
        "MAILSTEAD_DNS_SERVERS": authority,
        "MAILSTEAD_QUEUE_REMOTE_PORT": str(taken.port),
    }
    own = Own(context.folder / "own", settings)
    own.server.data.parent.mkdir(parents=True)
    own.add_accounts(["alice"])
    fill_queue(own, context.size.queued)
    own.start()
    try:
        yield own
    finally:
        own.server.stop()


def run(context: Context) -> Table:
    """Fill, start, and watch a sink."""
    size = context.size
    zone: dict[str, dict[str, str]] = {}
    for number in range(_DESTINATIONS):
        zone[f"domain{number}.example"] = {"MX": f"10 mx{number}.example."}
        zone[f"mx{number}.example"] = {"A": "127.0.0.1"}
    with dns_authority(zone) as authority, sink() as taken:
        with _own(context, taken, authority.address) as own:
            rates = {OWN: [rate(taken, 0, size.drained)]}
            memory = resident(own.pid)
        if context.with_peers:
            rates[_PEER] = [_postfix_rate(context, taken)]
    rows = [
        Row(f"memory with {size.queued:,} queued", "MB", {OWN: [memory]}),
        Row(f"{size.drained:,} delivered from the queue", "messages/s", rates, higher_is_better=True),
    ]
    notes = [
        f"Messages of 4 KB to {_DESTINATIONS} domains, found by MX in a name server of the benchmark, sent to one sink that "
        f"counts and throws away; one round. Mailstead drains a queue of {size.queued:,} with its defaults (20 deliveries "
        f"at once, 4 to one destination); Postfix drains {size.drained:,} through a relay without looking in DNS, 20 at "
        "once. Memory is resident memory of the whole server while it drains.",
    ]
    return Table("Outbound queue", rows, notes)
