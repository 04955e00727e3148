"""The servers of documents and bus die under load, others of theirs take over, and nothing acknowledged is lost."""

import time
from collections import Counter
from pathlib import Path

import pytest

from faults.test_kill import SEED, drained, in_doubt, passwords, surroundings
from support.load import Found, Load, check
from support.mailstead_server import mailstead_server
from support.mongodb_set import mongodb_set
from support.redis_sentinels import redis_sentinels

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see test_kill


def goes_on(load: Load) -> None:
    """Returns when more mail was acknowledged, in and out."""
    before = {client: load.record.counts[client] for client in ("mx", "submission")}
    deadline = time.monotonic() + 60
    while any(load.record.counts[client] <= count for client, count in before.items()):
        assert not load.failures
        assert time.monotonic() < deadline, load.record.counts
        time.sleep(0.02)  # the clients are threads that tell nobody


def test_the_primary_and_the_master_are_killed(tmp_path: Path) -> None:
    redis_folder = tmp_path / "redis"
    redis_folder.mkdir()
    doubts: Counter[str] = Counter()
    with (
        surroundings() as (sink, settings),
        mongodb_set() as mongodb,
        redis_sentinels(redis_folder) as redis,
        mailstead_server(
            tmp_path, settings | {"MAILSTEAD_DOCUMENTS_URL": mongodb.url, "MAILSTEAD_BUS_URL": redis.url}
        ) as server,
    ):
        load = Load(server.address, passwords(server), SEED)
        load.start()
        goes_on(load)
        killed = mongodb.kill_primary()
        doubts.update(in_doubt(server))
        goes_on(load)
        mongodb.start(killed)
        master = redis.kill_master()
        doubts.update(in_doubt(server))
        goes_on(load)
        redis.start_server(master)
        mongodb.kill_primary()
        doubts.update(in_doubt(server))
        goes_on(load)
        record = load.stop()
        drained(server)
        check(record, Found(server.address, passwords(server)), sink, doubts)
