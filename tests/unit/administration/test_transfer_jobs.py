"""Jobs of imports and exports: carried out once, stopped, gone on with, held where only the owner's key opens."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mailstead.administration.actor import Actor
from mailstead.administration.passwords import add_recovery_code, lock_mailbox
from mailstead.administration.transfer import worker as worker_module
from mailstead.administration.transfer.desk import (
    ServerWanted,
    TooManyTransfersError,
    TransferDesk,
    TransferStateError,
)
from mailstead.administration.transfer.progress import Progress
from mailstead.administration.transfer.taking import BATCH_MESSAGES
from mailstead.administration.transfer.work import Outcome, TransferWork
from mailstead.administration.transfer.worker import TransferWorker
from mailstead.foundation.config.sections.transfer import TransferSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import NotFoundError
from mailstead.foundation.net.reach import NotPublicError, Reach
from mailstead.stores.transfers.files import TransferFiles
from mailstead.stores.transfers.transfers import Transfer, Transfers
from support.eventually import eventually
from support.installation import Installation, installation
from support.scripted_resolver import ScriptedResolver

ALICE = "alice@example.test"
ACTOR = Actor(ALICE, "user", f"user-{ALICE}")
MANY = 3 * BATCH_MESSAGES


def mbox(count: int) -> bytes:
    return b"".join(
        b"From x Thu Jan  1 10:00:00 2026\nSubject: %d\n\nbody %d\n\n" % (number, number) for number in range(count)
    )


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


class House:
    """An installation with its jobs."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        (made.folder / "spool").mkdir(exist_ok=True)
        self.jobs = Transfers(made.documents, made.clock)
        self.files = TransferFiles(made.folder / "transfers")
        self.work = TransferWork(
            made.administration, self.files, Reach(ScriptedResolver({}), ()), made.folder / "spool"
        )
        self.worker = self.new_worker()
        self.desk = TransferDesk(self.jobs, self.work, self.worker, made.bus)

    def new_worker(self) -> TransferWorker:
        return TransferWorker(self.jobs, self.work, self.made.bus, self.made.settings.transfer)

    async def key(self) -> DataKey:
        alias = await self.made.directory.alias(ALICE)
        assert alias is not None
        key = await self.made.directory.mailbox_key(alias.mailbox_id)
        assert key is not None
        return key

    async def upload(self, content: bytes, **options: str) -> Transfer:
        return await self.desk.upload(ACTOR, ALICE, await self.key(), chunks(content), **options)  # type: ignore[arg-type]

    async def state(self, job: Transfer) -> str:
        found = await self.jobs.get(job.id)
        assert found is not None
        return found.state

    async def until(self, job: Transfer, state: str) -> Transfer:
        async def reached() -> bool:
            return await self.state(job) == state

        await eventually(reached)
        found = await self.jobs.get(job.id)
        assert found is not None
        return found

    @asynccontextmanager
    async def working(self) -> AsyncIterator[TransferWorker]:
        worker = self.new_worker()
        task = asyncio.get_running_loop().create_task(worker.run())
        try:
            yield worker
        finally:
            await worker.drain()
            await task


@asynccontextmanager
async def house(folder: Path, **transfer: float) -> AsyncIterator[House]:
    settings = msgspec.structs.replace(Settings(), transfer=msgspec.convert(transfer, TransferSettings))
    async with installation(folder, settings) as made:
        yield House(made)


async def test_a_file_is_sealed_while_it_waits_and_gone_when_it_is_taken(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        job = await one.upload(mbox(3), name="old\nmail.mbox")
        assert (job.state, job.form, job.source) == ("waiting", "mbox", "old_mail.mbox")
        (kept,) = (tmp_path / "transfers").iterdir()
        assert b"body" not in kept.read_bytes()
        assert kept.stat().st_mode & 0o777 == 0o600
        async with one.working():
            done = await one.until(job, "done")
        assert (done.taken, done.known, done.done, done.worker) == (3, 0, 3, "")
        assert list((tmp_path / "transfers").iterdir()) == []
        assert list((tmp_path / "spool").iterdir()) == []
        assert len(await one.made.messages(ALICE)) == 3


async def test_a_job_whose_worker_died_is_gone_on_with(tmp_path: Path) -> None:
    """The first claims the job, takes a batch and is never heard of again; another takes the rest, and nothing twice."""
    async with house(tmp_path, lease=1.0) as one:
        job = await one.upload(mbox(MANY))
        claimed = await one.jobs.claim("dead", 1.0)
        assert claimed is not None

        class DiedError(Exception):
            pass

        class Dies(Progress):
            def __call__(self, count: int) -> None:
                super().__call__(count)
                if self.done >= BATCH_MESSAGES:
                    raise DiedError

        with pytest.raises(DiedError):
            await one.work.carry_out(claimed, None, Dies())
        assert len(await one.made.messages(ALICE)) == BATCH_MESSAGES
        async with one.working():
            done = await one.until(job, "done")
        assert (done.taken, done.known) == (MANY - BATCH_MESSAGES, BATCH_MESSAGES)
        assert len(set(await one.made.messages(ALICE))) == MANY


async def test_a_job_is_cancelled_while_it_waits_and_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_GRACE", 0.05)
    async with house(tmp_path) as one:
        waiting = await one.upload(mbox(1))
        assert (await one.desk.cancel(ACTOR, ALICE, waiting.id)).state == "cancelled"
        with pytest.raises(TransferStateError):
            await one.desk.cancel(ACTOR, ALICE, waiting.id)
        running = await one.upload(mbox(MANY))
        begun, go_on = asyncio.Event(), asyncio.Event()
        carry_out = one.work.carry_out

        async def slowly(job: Transfer, key: DataKey | None, progress: Progress) -> Outcome:
            begun.set()
            await go_on.wait()
            return await carry_out(job, key, progress)

        one.work.carry_out = slowly  # type: ignore[method-assign]
        async with one.working():
            await begun.wait()
            assert (await one.desk.cancel(ACTOR, ALICE, running.id)).state == "running"
            await one.until(running, "cancelled")
        assert list((tmp_path / "transfers").iterdir()) == []
        assert await one.made.messages(ALICE) == []
        await one.desk.forget(ACTOR, ALICE, running.id)
        with pytest.raises(NotFoundError):
            await one.desk.get(ACTOR, ALICE, running.id)


async def test_a_stop_gives_the_job_back_to_who_comes_next(tmp_path: Path) -> None:
    async with house(tmp_path) as one:
        job = await one.desk.export(ACTOR, ALICE, await one.key())
        begun = asyncio.Event()
        carry_out = one.work.carry_out

        async def endlessly(job: Transfer, key: DataKey | None, progress: Progress) -> Outcome:
            begun.set()
            while True:
                progress.check()
                await asyncio.sleep(0)

        one.work.carry_out = endlessly  # type: ignore[method-assign]
        async with one.working():
            await begun.wait()
        assert await one.state(job) == "waiting"
        one.work.carry_out = carry_out  # type: ignore[method-assign]
        async with one.working():
            done = await one.until(job, "done")
        archive = b"".join(await pieces(one, done))
        with zipfile.ZipFile(io.BytesIO(archive)) as found:
            assert found.testzip() is None


async def pieces(one: House, job: Transfer) -> Iterator[bytes]:
    found, content = await one.desk.content(ACTOR, ALICE, job.id, await one.key())
    assert found.size > 0
    return content


async def test_a_locked_mailbox_is_worked_on_by_the_process_that_has_its_key(tmp_path: Path) -> None:
    async with house(tmp_path, lease=1.0) as one:
        key = await one.key()
        await add_recovery_code(one.made.administration, ACTOR, ALICE)
        await lock_mailbox(one.made.administration, ACTOR, ALICE)
        async with one.working():  # the worker of everybody cannot open it, and leaves it alone
            job = await one.desk.upload(ACTOR, ALICE, key, chunks(mbox(2)))
            assert (job.state, job.holder) == ("running", one.worker.name)
            assert (await one.until(job, "done")).taken == 2
            lost = msgspec.structs.replace(job, id="lost", worker="dead", holder="dead", due_at=one.made.clock.now())
            one.files.write("lost", job.public_key, [mbox(3)], lambda: None)
            await one.jobs.add(lost)
            await one.made.bus.publish(worker_module.CHANNEL, b"")
            held = await one.until(lost, "held")
            assert "yourself" in held.text
            await one.desk.resume(ACTOR, ALICE, "lost", key)
            assert (await one.until(lost, "done")).taken == 1  # two of the three are there
        await one.worker.drain()
        key.raw()  # the caller's own is not zeroed


async def test_what_fails_may_go_on_and_too_many_are_refused(tmp_path: Path) -> None:
    async with house(tmp_path, per_mailbox=1) as one:
        await one.made.set_quota(ALICE, 10)
        job = await one.upload(mbox(2))
        with pytest.raises(TooManyTransfersError):
            await one.upload(mbox(1))
        async with one.working():
            failed = await one.until(job, "failed")
            assert failed.text == "Mailbox is full"
            await one.made.set_quota(ALICE, 10_000_000)
            await one.desk.resume(ACTOR, ALICE, job.id, await one.key())
            assert (await one.until(job, "done")).taken == 2
            with pytest.raises(TransferStateError):
                await one.desk.resume(ACTOR, ALICE, job.id, await one.key())


async def test_a_name_that_leads_elsewhere_later_is_looked_at_again(tmp_path: Path) -> None:
    """DNS names a public address when the import is asked for, and a private one when it is carried out."""
    async with house(tmp_path) as one:
        wanted = ServerWanted("old.test", "me", "secret")
        one.work.reach = Reach(ScriptedResolver({"old.test": {"A": "8.8.8.8"}}), ())
        job = await one.desk.from_server(ACTOR, ALICE, await one.key(), wanted)
        assert b"secret" not in job.secret
        one.work.reach = Reach(ScriptedResolver({"old.test": {"A": ["8.8.8.8", "10.0.0.1"]}}), ())
        with pytest.raises(NotPublicError):
            await one.desk.from_server(ACTOR, ALICE, await one.key(), wanted)
        async with one.working():
            failed = await one.until(job, "failed")
        assert "not a public one" in failed.text


async def test_damaged_archives_take_in_what_is_whole(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("Old/one.eml", b"Subject: one\r\n\r\nx")
        archive.writestr("Old/two.eml", b"Subject: two\r\n\r\nx")
        archive.writestr("__MACOSX/Old/._one.eml", b"nothing")
        archive.writestr("../../etc/three.eml", b"Subject: three\r\n\r\nx")
        archive.writestr("notes.txt", b"no mail")
    octets = held.getvalue().replace(b"Subject: two", b"Subject: 2wo", 1)  # its checksum is wrong now
    async with house(tmp_path) as one:
        job = await one.upload(octets)
        async with one.working():
            done = await one.until(job, "done")
        assert done.taken == 2
        assert done.failures == ("Old/two.eml: Bad CRC-32 for file 'Old/two.eml'",)
        assert await one.made.messages(ALICE, "Old") == [b"Subject: one\r\n\r\nx"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
async def test_members_that_may_ask_for_any_memory_are_not_unpacked(tmp_path: Path, method: int) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("one.eml", b"Subject: one\r\n\r\nx")
        archive.writestr("two.eml", b"Subject: two\r\n\r\nx", method)
        archive.writestr("three.mbox", b"From x\n", method)
        archive.writestr("four", b"From x\n", method)
    async with house(tmp_path) as one:
        job = await one.upload(held.getvalue())
        async with one.working():
            done = await one.until(job, "done")
        assert done.taken == 1
        why = "it is compressed in a way that is not read"
        assert done.failures == (f"three.mbox: {why}", f"two.eml: {why}")


async def test_a_bomb_is_stopped_by_what_comes_out_of_it(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.eml", b"Subject: x\r\n\r\n" + b"\0" * 100_000)
    assert len(held.getvalue()) < 20_000
    async with house(tmp_path, unpacked_limit=1_000_000) as one:
        job = await one.upload(held.getvalue())
        async with one.working():
            failed = await one.until(job, "failed")
        assert "more than 1000000 octets together" in failed.text
    async with house(tmp_path / "b", entries_limit=10) as one:
        job = await one.upload(held.getvalue())
        async with one.working():
            failed = await one.until(job, "failed")
        assert "more than 10 entries" in failed.text
