"""Several real processes on one mailbox, some of them killed; a damaged file."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.care import check_mailbox
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.errors import MailboxDamagedError
from mailstead.stores.mailbox.sealed import key_pair, waiting
from support import mailbox_worker
from support.installation import installation
from support.mailbox_store import open_mailboxes

KEY = DataKey(mailbox_worker.KEY)
ALICE = "alice@example.test"
_MESSAGES = 120


def worker(folder: Path, task: str, seed: int, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, mailbox_worker.__file__, str(folder), task, str(seed), str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "tests"})


def kill_when(workers: list[subprocess.Popen[str]], incoming: Path, goal: int) -> None:
    """kill -9 when so few sealed messages are left, or all workers ended."""
    while len(waiting(incoming)) > goal and any(one.poll() is None for one in workers):
        time.sleep(0.001)  # the condition is a file's end; there is nothing to be woken by
    for one in workers:
        one.kill()
        one.communicate()


async def test_two_processes_write_at_once_and_every_invariant_holds(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        modseq = mailbox.modseq()
        workers = [worker(tmp_path, "change", seed, 150) for seed in (1, 2)]
        while any(one.poll() is None for one in workers):
            now = await asyncio.to_thread(mailbox.modseq)
            assert now >= modseq
            modseq = now
            assert await asyncio.to_thread(mailbox.check) == []
        for one in workers:
            assert one.communicate()[0].endswith("done\n")
            assert one.returncode == 0
        assert mailbox.usage().messages > 0
        assert mailbox.check() == []
        mailbox.expire(4e9)
        assert mailbox.check() == []


async def test_sealed_mail_is_taken_in_exactly_once_whatever_is_killed(tmp_path: Path) -> None:
    sent = [b"Subject: %d\r\n\r\nsealed\r\n" % number for number in range(_MESSAGES)]
    async with open_mailboxes(tmp_path) as mailboxes:
        incoming = mailboxes.directory("m1") / "incoming"
        for raw in sent:
            with Spool(1000, tmp_path) as spool:
                spool.append(raw)
                await mailboxes.deliver("m1", None, key_pair(KEY).public, spool)
    chance = random.Random(3)
    killed = 0
    while waiting(incoming) and killed < 40:
        left = len(waiting(incoming))
        pair = [worker(tmp_path, "ingest", 0, 0) for _ in range(2)]
        goal = max(left - chance.randrange(1, 12), 0)
        kill_when(pair, incoming, goal)
        killed += 1
    assert killed > 5
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        rows = mailbox.rows(mailbox.folder("INBOX").id, [(1, UID_MOST)], ("uid", "size", "recipe"))
        wanted = [(recipe, 0, size) for found in rows for _, size, recipe in found]
        assert sorted(mailbox.read_many(wanted)) == sorted(sent)
        assert mailbox.check() == []
        assert waiting(incoming) == []


async def test_a_damaged_file_is_set_aside_and_mail_goes_on_being_taken(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        for number in range(30):
            await made.deliver(ALICE, b"Subject: %d\r\n\r\n" % number + b"body " * 2000)
        identifier = (await made.mailbox(ALICE)).id
        assert (await check_mailbox(made.administration, COMMAND_LINE, ALICE)).problems == ()
        made.mailboxes.forget(identifier)
    path = next(tmp_path.rglob("mailbox.db"))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    for place in range(20 * 4096 + 100, len(damaged), 3 * 4096):
        damaged[place] ^= 0xFF
    path.write_bytes(damaged)
    async with installation(tmp_path) as made:
        found = await check_mailbox(made.administration, COMMAND_LINE, ALICE)
        assert found.problems
        aside = Path(found.set_aside)
        assert aside.name.startswith("mailbox.db.damaged-")
        assert aside.read_bytes() == bytes(damaged)
        assert not path.exists()
        with pytest.raises(MailboxDamagedError):
            await made.mailbox(ALICE)
        await made.deliver(ALICE, b"Subject: late\r\n\r\nkept meanwhile\r\n")
        assert not path.exists()
        assert len(waiting(path.parent / "incoming")) == 1
        path.write_bytes(whole)  # as a restore puts a snapshot in place
        raws = await made.messages(ALICE)
        assert len(raws) == 31
        assert raws[-1].endswith(b"kept meanwhile\r\n")
        assert (await check_mailbox(made.administration, COMMAND_LINE, ALICE)).problems == ()
