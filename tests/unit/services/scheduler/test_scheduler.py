"""When jobs run, by whom, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.scheduler import SchedulerSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import TemporaryError
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.job import Job, JobState, job_states
from mailstead.services.scheduler.jobs import JOBS
from mailstead.services.scheduler.scheduler import Scheduler
from mailstead.stores.bus.open import open_bus
from mailstead.stores.directory.records import User
from support.wiring import wired

HOUR = 3600.0


class Work:
    """A job's work: what it answers with, and how often it was done."""

    def __init__(self) -> None:
        self.times = 0
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def __call__(self, _: Wiring) -> str:
        self.times += 1
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return f"{self.times} times"

    def job(self, name: str = "care", jitter: float = 0.0) -> Job:
        return Job(name=name, purpose="for the test", period=HOUR, jitter=jitter, run=self)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def wiring(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Wiring]:
    settings = Settings(
        server=ServerSettings(data=str(tmp_path)), scheduler=SchedulerSettings(notice_after=2, job_timeout=60.0)
    )
    async with wired(tmp_path, clock, settings) as made:
        yield made


async def scheduler(wiring: Wiring, *jobs: Job) -> Scheduler:
    made = Scheduler(wiring, jobs)
    await made.open()
    return made


async def state(wiring: Wiring) -> JobState:
    (found,) = await job_states(wiring.stores.documents)
    return found


async def test_a_job_runs_once_a_period(wiring: Wiring, clock: ManualClock) -> None:
    work = Work()
    running = await scheduler(wiring, work.job())
    assert await running.run_due() == ["care"]
    assert await running.run_due() == []
    clock.advance(HOUR - 1)
    assert await running.run_due() == []
    clock.advance(1)
    assert await running.run_due() == ["care"]
    kept = await state(wiring)
    assert (kept.outcome, kept.text, kept.failures) == ("done", "2 times", 0)
    assert kept.next_at == clock.now() + HOUR


async def test_jitter_spreads_the_first_run_and_the_next(wiring: Wiring, clock: ManualClock) -> None:
    work = Work()
    running = await scheduler(wiring, work.job(jitter=600.0))
    first = (await state(wiring)).next_at
    assert clock.now() <= first <= clock.now() + 600
    clock.advance(600)
    await running.run_due()
    assert clock.now() + HOUR <= (await state(wiring)).next_at <= clock.now() + HOUR + 600


async def test_a_plan_outlives_its_scheduler(wiring: Wiring, clock: ManualClock) -> None:
    work = Work()
    await (await scheduler(wiring, work.job())).run_due()
    clock.advance(HOUR / 2)
    assert await (await scheduler(wiring, work.job())).run_due() == []


async def test_a_failed_job_is_tried_again_later_and_later(wiring: Wiring, clock: ManualClock) -> None:
    work = Work()
    work.error = TemporaryError("no luck")
    running = await scheduler(wiring, work.job())
    pauses = []
    for _ in range(9):
        await running.run_due()
        kept = await state(wiring)
        assert (kept.outcome, kept.text) == ("failed", "no luck")
        pauses.append(kept.next_at - clock.now())
        clock.advance(pauses[-1])
    assert pauses == [60, 120, 240, 480, 960, 1920, HOUR, HOUR, HOUR]
    work.error = None
    await running.run_due()
    kept = await state(wiring)
    assert (kept.outcome, kept.failures, kept.next_at) == ("done", 0, clock.now() + HOUR)


async def test_a_mistake_in_a_job_is_a_failure_like_others(wiring: Wiring) -> None:
    work = Work()
    work.error = ValueError("a mistake")
    assert await (await scheduler(wiring, work.job())).run_due() == ["care"]
    assert (await state(wiring)).text == "ValueError: a mistake"


async def test_administrators_are_told_once_of_failures_in_a_row(wiring: Wiring, clock: ManualClock) -> None:
    await wiring.stores.directory.add(User(id="a", address="alice@example.test", is_admin=True))
    await wiring.stores.directory.add(User(id="b", address="bob@example.test"))
    work = Work()
    work.error = OSError("the disk is gone")
    running = await scheduler(wiring, work.job())
    for expected in (0, 1, 1, 1):
        await running.run_due()
        clock.advance(HOUR)
        waiting = await wiring.stores.queue.list_all()
        assert len(waiting) == expected
    (notice,) = waiting
    assert [recipient.address for recipient in notice.recipients] == ["alice@example.test"]
    with wiring.stores.queue.read(notice) as message:
        assert b"the disk is gone" in b"".join(message.chunks())


@asynccontextmanager
async def on_another_bus(wiring: Wiring, folder: Path) -> AsyncIterator[Wiring]:
    """The same installation, seen by a process that shares no bus with the first."""
    bus = open_bus("memory:", folder)
    await bus.open()
    yield msgspec.structs.replace(wiring, stores=msgspec.structs.replace(wiring.stores, bus=bus))
    await bus.close()


async def test_two_schedulers_run_a_job_once(wiring: Wiring, tmp_path: Path) -> None:
    """Also when they share no bus: the claim of the document decides."""
    work = Work()
    work.gate = asyncio.Event()
    first = await scheduler(wiring, work.job())
    running = asyncio.create_task(first.run_due())
    await work.begun.wait()
    assert (await state(wiring)).outcome == "running"
    async with on_another_bus(wiring, tmp_path) as elsewhere:
        for one in (wiring, elsewhere):
            assert await (await scheduler(one, work.job())).run_due() == []
    work.gate.set()
    assert await running == ["care"]
    assert work.times == 1


async def test_the_job_of_a_dead_process_is_begun_again_after_its_lease(
    wiring: Wiring, clock: ManualClock, tmp_path: Path
) -> None:
    work = Work()
    work.gate = asyncio.Event()
    dead = asyncio.create_task((await scheduler(wiring, work.job())).run_due())
    await work.begun.wait()
    clock.advance(wiring.stores.settings.scheduler.lease + 1)
    async with on_another_bus(wiring, tmp_path) as elsewhere:
        heir = Work()
        assert await (await scheduler(elsewhere, heir.job())).run_due() == ["care"]
    kept = await state(wiring)
    work.error = TemporaryError("the dead one woke up")
    work.gate.set()
    assert await dead == ["care"]
    assert await state(wiring) == kept


async def test_a_stop_cuts_a_job_off_and_the_next_start_begins_it_again(wiring: Wiring) -> None:
    work = Work()
    work.gate = asyncio.Event()
    running = await scheduler(wiring, work.job())
    task = asyncio.create_task(running.run())
    await work.begun.wait()
    running.stop()
    task.cancel()
    await asyncio.wait([task])
    assert (await state(wiring)).outcome == "cut off"
    work.gate.set()
    assert await (await scheduler(wiring, work.job())).run_due() == ["care"]
    assert (await state(wiring)).outcome == "done"


async def test_run_sleeps_until_it_is_stopped(wiring: Wiring) -> None:
    work = Work()
    running = await scheduler(wiring, work.job())
    task = asyncio.create_task(running.run())
    await work.begun.wait()
    running.stop()
    await asyncio.wait_for(task, 10)
    assert work.times == 1


def test_the_table() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert 0 < job.jitter < job.period
