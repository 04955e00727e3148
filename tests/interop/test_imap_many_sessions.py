"""Twenty sessions of two server processes on the same mailboxes: whatever happens between them, all end with one truth.

The plan (who does what in which round) comes from Hypothesis and is the same in every run; how the commands of a round
interleave is up to the machine, and the rules that are checked hold in any order: uids ascend and are given once,
removals are told when they may be, modseqs grow, a modseq stands for one state, and a client that was away learns by
CHANGEDSINCE and VANISHED of exactly what changed.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.imap_client import ImapClient, Response, items, numbers
from support.imap_participant import ACTIONS, KINDS, Action, Cache, Participant, World
from support.imap_view import flags_of
from support.mailstead_server import MailsteadServer, mailstead_server

ADDRESS = "alice@example.test"
SESSIONS = 20
TESTS = Path(__file__).parents[1]

pytestmark = pytest.mark.xdist_group("imap-many-sessions")


class Servers:
    """Two processes that serve IMAP on one data folder, and a loop for the clients."""

    def __init__(self, server: MailsteadServer, other_port: int, runner: asyncio.Runner) -> None:
        self.password = server.password("alice")
        self.places = [server.address("imap"), ("127.0.0.1", other_port)]
        self.server = server
        self.runner = runner
        self.runs = 0

    async def session(self, number: int = 0) -> ImapClient:
        """A connection to one of the two, logged in."""
        client = await ImapClient.open(*self.places[number % 2])
        await client.ok(f"LOGIN {ADDRESS} {self.password}".encode())
        return client


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    options = {"MAILSTEAD_INSECURE_AUTH": "true", "MAILSTEAD_BUS_URL": "unix:"}
    with (
        mailstead_server(tmp_path_factory.mktemp("many"), options) as server,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        worker = subprocess.Popen(
            [sys.executable, "-m", "support.imap_worker"],
            env=server.environment | {"PYTHONPATH": str(TESTS)},
            cwd=server.data.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            yield Servers(server, int(worker.stdout.readline()), runner)
        finally:
            worker.stdin.close()
            worker.stdout.close()
            assert worker.wait(30) == 0


ROUND = st.lists(
    st.builds(Action, st.sampled_from(ACTIONS), st.integers(0, 119), st.integers(0, 119)),
    min_size=SESSIONS,
    max_size=SESSIONS,
)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(plan=st.lists(ROUND, min_size=8, max_size=8))
def test_all_sessions_converge(servers: Servers, plan: list[list[Action]]) -> None:
    servers.runner.run(play(servers, plan))


async def play(servers: Servers, plan: list[list[Action]]) -> None:
    servers.runs += 1
    world = World((f"many{servers.runs}", f"other{servers.runs}"))
    first = await servers.session()
    for folder in world.folders:
        await first.ok(f"CREATE {folder}".encode())
    participants = []
    for number in range(SESSIONS):
        client = await ImapClient.open(*servers.places[number % 2])
        participant = Participant(client, world, KINDS[number // 2 % len(KINDS)])
        await participant.start(ADDRESS, servers.password, world.folders[number % 7 == 6])
        participants.append(participant)
    for _ in range(3):
        await asyncio.gather(*(participant.append(Action("append", 1, 1)) for participant in participants[:4]))
    for actions in plan:
        await asyncio.gather(*(one.act(action) for one, action in zip(participants, actions, strict=True)))
    await asyncio.gather(*(participant.end_idle() for participant in participants if participant.idles))
    truths = {folder: await truth_of(first, world, folder) for folder in world.folders}
    for participant in participants:
        await participant.finish()
        participant.check(truths[participant.folder])
        await participant.client.close()
    for folder in world.folders:
        await check_ledger(servers, world, folder, truths[folder])
    for cache in world.caches:
        await come_back(servers, cache, truths[cache.folder])
    await first.close()


async def truth_of(client: ImapClient, world: World, folder: str) -> dict[int, frozenset[str]]:
    """What is in the mailbox, read by a session that knew nothing."""
    untagged = await client.ok(f"SELECT {folder}".encode())
    codes = {response.code: response.code_text for response in untagged if response.name == "OK"}
    found: dict[int, frozenset[str]] = {}
    for response in await client.ok(b"UID FETCH 1:* (FLAGS MODSEQ)"):
        if response.name != "FETCH":
            assert response.code == "HIGHESTMODSEQ", response.line
            continue
        data = items(response)
        uid, modseq = data["UID"], data["MODSEQ"]
        assert isinstance(uid, bytes)
        assert isinstance(modseq, list)
        assert isinstance(modseq[0], bytes)
        found[int(uid)] = flags_of(data["FLAGS"])
        world.ledger(folder).state(int(uid), int(modseq[0]), found[int(uid)])
        assert int(modseq[0]) <= int(codes["HIGHESTMODSEQ"])
    assert list(found) == sorted(found)
    assert max(found, default=0) < int(codes["UIDNEXT"])
    assert max(world.ledger(folder).made, default=0) < int(codes["UIDNEXT"])
    return found


async def check_ledger(servers: Servers, world: World, folder: str, truth: dict[int, frozenset[str]]) -> None:
    """Everything that was acknowledged is there, or the log names it as removed; what was removed stays away."""
    made, gone = world.ledger(folder).made, world.ledger(folder).gone
    client = await servers.session()
    await client.ok(b"ENABLE QRESYNC")
    await client.ok(f"SELECT {folder}".encode())
    untagged = await client.ok(f"UID FETCH 1:{max(made, default=1)} (FLAGS) (CHANGEDSINCE 1 VANISHED)".encode())
    await client.close()
    vanished = [response.values[1] for response in untagged if response.name == "VANISHED"]
    logged = {uid for uids in vanished if isinstance(uids, bytes) for uid in numbers(uids.decode())}
    assert set(truth) <= set(made)
    assert not set(truth) & gone
    assert logged == set(made) - set(truth)


async def come_back(servers: Servers, cache: Cache, truth: dict[int, frozenset[str]]) -> None:
    """RFC 7162 §3.2.5 and §3.2.6: by SELECT with QRESYNC, with and without known uids, and by UID FETCH."""
    last = max(cache.flags, default=1)
    for number, known in enumerate(("", f" 1:{last}")):
        client = await servers.session(number)
        await client.ok(b"ENABLE QRESYNC")
        select = f"SELECT {cache.folder} (QRESYNC ({cache.uidvalidity} {cache.modseq}{known}))"
        untagged = await client.ok(select.encode())
        # with known uids only those are told of
        expected = {uid: flags for uid, flags in truth.items() if not known or uid <= last}
        assert resynchronised(cache, untagged) == expected, told(cache, untagged)
        again = await client.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {cache.modseq} VANISHED)".encode())
        assert resynchronised(cache, again) == truth, told(cache, again)
        await client.close()


def told(cache: Cache, untagged: list[Response]) -> str:
    """What a client came back with and what it heard, for a test that fails."""
    lines = b"".join(response.line for response in untagged).decode()
    return f"{cache}\n{lines}"


def resynchronised(cache: Cache, untagged: list[Response]) -> dict[int, frozenset[str]]:
    """The cache with the changes that were told. A client without changes of its own hears nothing else."""
    found = dict(cache.flags)
    for response in untagged:
        if response.name == "VANISHED":
            assert response.values[0] == [b"EARLIER"], response.line
            uids = response.values[1]
            assert isinstance(uids, bytes)
            for gone in numbers(uids.decode()):
                found.pop(gone, None)
        elif response.name == "FETCH":
            data = items(response)
            uid, modseq = data["UID"], data["MODSEQ"]
            assert isinstance(uid, bytes)
            assert isinstance(modseq, list)
            assert isinstance(modseq[0], bytes)
            assert int(modseq[0]) > cache.modseq, response.line
            found[int(uid)] = flags_of(data["FLAGS"])
    return found


def test_idle_in_the_other_process_hears_at_once(servers: Servers) -> None:
    async def run() -> None:
        idlers = [await servers.session(number) for number in range(2)]
        author = await servers.session(0)
        await author.ok(b"CREATE idle")
        tags = []
        for idler in idlers:
            await idler.ok(b"SELECT idle")
            tags.append(await idler.send(b"IDLE"))
            await idler.until("+")
        await author.ok(b"APPEND idle {3+}\r\nabc")
        for idler, tag in zip(idlers, tags, strict=True):
            heard = [await idler.read()]
            while heard[-1].name != "EXISTS":
                heard.append(await idler.read())
            assert heard[-1].number == 1
            await idler.say(b"DONE")
            assert (await idler.until(tag))[0].name == "OK"
        for client in [*idlers, author]:
            await client.close()

    servers.runner.run(run())
