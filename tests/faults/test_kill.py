"""kill -9 of each process at random points under load: nothing acknowledged is lost, nothing appears twice.

MAILSTEAD_FAULT_ROUNDS multiplies the rounds (a soak), MAILSTEAD_FAULT_SEED gives other points.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.mail.outbound.records import CONSIGNMENTS
from mailstead.stores.documents.open import open_documents
from support.dns_authority import dns_authority
from support.load import Found, Load, check
from support.mailstead_server import MailsteadServer, mailstead_server
from support.mongod import mongod
from support.redis_server import redis_server
from support.smtp_sink import Sink, smtp_sink

MORE = int(os.environ.get("MAILSTEAD_FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("MAILSTEAD_FAULT_SEED", "1"))
# poplib and smtplib leave the socket of a server that dies while it greets to the collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SERVICES = ("storage", "mx", "smtp", "imap", "pop3")
DRAIN_SECONDS = 120.0


@contextmanager
def surroundings() -> Iterator[tuple[Sink, dict[str, str]]]:
    """A sink, DNS that leads to it, and the settings for both."""
    zone = {f"remote{number}.test": {"A": "127.0.0.1"} for number in range(3)}
    with smtp_sink() as sink, dns_authority(zone) as authority:
        yield (
            sink,
            {
                "MAILSTEAD_DNS_SERVERS": authority.address,
                "MAILSTEAD_QUEUE_REMOTE_PORT": str(sink.port),
                "MAILSTEAD_QUEUE_FIRST_RETRY": "1s",
                "MAILSTEAD_QUEUE_LONGEST_RETRY": "1s",
                "MAILSTEAD_QUEUE_POLL": "500ms",
                "MAILSTEAD_INSECURE_AUTH": "true",
            },
        )


async def queued(server: MailsteadServer) -> list[dict[str, object]]:
    """What the queue holds, read beside the server."""
    url = server.settings.get("MAILSTEAD_DOCUMENTS_URL", "sqlite:")
    documents = open_documents(url, server.data, DocumentsSettings(expire_interval=0))
    await documents.open()
    try:
        consignments = await documents.collection(CONSIGNMENTS)
        return await consignments.find({"queued_at": {"$gt": 0}})
    finally:
        await documents.close()


def in_doubt(server: MailsteadServer) -> set[str]:
    """The tokens whose delivery is claimed: whether the remote server took them is not written down."""
    found: set[str] = set()
    for document in asyncio.run(queued(server)):
        if document["state"] == "claimed":
            recipients: list[dict[str, str]] = document["envelope"]["recipients"]  # type: ignore[index]
            found |= {one["address"].partition("+")[2].partition("@")[0] for one in recipients}
    return found


def drained(server: MailsteadServer) -> None:
    """Returns when the queue is empty."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while left := asyncio.run(queued(server)):
        assert time.monotonic() < deadline, left[:5]


def passwords(server: MailsteadServer) -> dict[str, str]:
    return {name: server.password(name) for name in ("admin", "alice", "bob")}


def test_the_whole_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    doubts: Counter[str] = Counter()
    with surroundings() as (sink, settings), mailstead_server(tmp_path, settings) as server:
        load = Load(server.address, passwords(server), SEED)
        load.start()
        for _ in range(20 * MORE):
            load_for(chance)
            server.kill()
            doubts.update(in_doubt(server))
            server.start()
        load_for(chance)
        record = load.stop()
        drained(server)
        check(record, Found(server.address, passwords(server)), sink, doubts)
        assert all(record.counts[client] for client in ("mx", "lmtp", "submission", "imap", "pop3")), record.counts


def test_workers_are_killed_and_the_process_that_started_them(tmp_path: Path) -> None:
    chance = random.Random(SEED + 3)
    doubts: Counter[str] = Counter()
    with surroundings() as (sink, settings):
        settings = settings | {"MAILSTEAD_WORKERS": "2"}
        with mailstead_server(tmp_path, settings) as server:
            load = Load(server.address, passwords(server), SEED)
            load.start()
            for number in range(6 * MORE):
                load_for(chance)
                if number % 3 == 2:
                    server.kill()
                    doubts.update(in_doubt(server))
                    server.start()
                else:
                    os.kill(chance.choice(server.workers()), signal.SIGKILL)
            load_for(chance)
            record = load.stop()
            drained(server)
            check(record, Found(server.address, passwords(server)), sink, doubts)
            assert all(record.counts[client] for client in ("mx", "lmtp", "submission", "imap", "pop3")), record.counts


def load_for(chance: random.Random) -> None:
    """Let the load go on for a moment that nobody can foresee: the point of the kill."""
    time.sleep(chance.uniform(0.02, 0.7))


def kill_parts(server: MailsteadServer, sink: Sink, settings: dict[str, str], rounds: int, seed: int) -> None:
    """`server` made the data folder; its services now run apart, and one or all of them are killed each round."""
    assert server.stop() == 0
    parts = {name: MailsteadServer(server.data, settings, (), (name,)) for name in SERVICES}
    where = {"mx": "mx", "lmtp": "storage", "submission": "smtp", "imap": "imap", "pop3": "pop3"}
    chance = random.Random(seed)
    doubts: Counter[str] = Counter()
    with ExitStack() as stack:
        for part in parts.values():
            stack.callback(part.kill)
            part.start()
        load = Load(lambda service: parts[where[service]].address(service), passwords(server), seed)
        load.start()
        for _ in range(rounds * MORE):
            load_for(chance)
            victims = chance.choice([*[(name,) for name in SERVICES], ("smtp",), SERVICES])
            kill_and_start([parts[name] for name in victims], doubts)
        load_for(chance)
        record = load.stop()
        drained(parts["smtp"])
        check(record, Found(parts["imap"].address, passwords(server)), sink, doubts)
        assert all(record.counts[client] for client in where), record.counts


def kill_and_start(victims: Sequence[MailsteadServer], doubts: Counter[str]) -> None:
    for part in victims:
        part.kill()
    for part in victims:
        if "smtp" in part.services:
            doubts.update(in_doubt(part))
        part.start()


def test_each_service_is_killed_on_a_unix_bus(tmp_path: Path) -> None:
    with surroundings() as (sink, settings), mailstead_server(tmp_path, settings) as server:
        kill_parts(server, sink, settings | {"MAILSTEAD_BUS_URL": "unix:"}, 24, SEED + 1)


def test_each_service_is_killed_on_redis_and_mongodb(tmp_path: Path) -> None:
    with surroundings() as (sink, settings), mongod() as url, redis_server(tmp_path) as redis:
        apart = {"MAILSTEAD_DOCUMENTS_URL": url.replace("/?", "/faults?"), "MAILSTEAD_BUS_URL": redis.url}
        with mailstead_server(tmp_path, settings | apart) as server:
            kill_parts(server, sink, settings | apart, 10, SEED + 2)
