"""Runs jobs when they are due; see the package."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.services.definition import Wiring
from mailstead.services.notice import write_to_administrators
from mailstead.services.scheduler.job import CHANNEL, JOBS_COLLECTION, Job, JobState, document_of, state_of
from mailstead.stores.bus.interface import BusLostError
from mailstead.stores.documents.interface import Collection, DuplicateError, StoreUnavailableError

_FIRST_RETRY = 60.0
_TEXT_LIMIT = 500
_TEXT = """The job "{name}" of this mail server ({purpose}) failed {failures} times in a row.

  {why}

It is tried again by itself, at least every {hours:g} hours; the next message comes only after it was well in between.
See also: mailstead status
"""

log = structlog.get_logger("mailstead.scheduler")


class Scheduler:
    """The jobs of one process."""

    def __init__(self, wiring: Wiring, jobs: Sequence[Job]) -> None:
        stores = wiring.stores
        self._wiring = wiring
        self._jobs = tuple(jobs)
        self._clock = stores.clock
        self._bus = stores.bus
        self._settings = stores.settings.scheduler
        self._me = new_ulid(self._clock.now())
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()
        self._states: Collection | None = None
        self._runs = stores.metrics.counter("job_runs", "Finished runs of scheduled jobs", ("job", "outcome"))

    async def open(self) -> None:
        """Plan jobs that are new here, the first run within their jitter. Raises StoreUnavailableError."""
        self._states = await self._wiring.stores.documents.collection(JOBS_COLLECTION)
        for job in self._jobs:
            first = self._clock.now() + random.uniform(0, job.jitter)  # noqa: S311 spreads, guards nothing
            with suppress(DuplicateError):
                await self._states.insert(document_of(JobState(id=job.name, next_at=first)))

    async def run(self) -> None:
        """Run what is due, again and again until `stop`."""
        subscription = await self._bus.subscribe(CHANNEL, lambda _, __: self._wake.set(), on_gap=self._wake.set)
        try:
            while not self._stop.is_set():
                self._wake.clear()
                try:
                    await self.run_due()
                    pause = await self._until_next()
                except StoreUnavailableError as error:
                    log.warning("jobs cannot be looked at", why=str(error))
                    pause = self._settings.poll
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            subscription.close()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()
        self._wake.set()

    async def run_due(self) -> list[str]:
        """Run every job that is due and that nobody else runs, one after the other; returns their names."""
        ran = []
        for job in self._jobs:
            if not self._stop.is_set() and await self._run_alone(job):
                ran.append(job.name)
        return ran

    @property
    def _collection(self) -> Collection:
        assert self._states is not None, "opened before it is used"
        return self._states

    async def _until_next(self) -> float:
        names = [job.name for job in self._jobs]
        first = await self._collection.find_one({"id": {"$in": names}}, order=[("next_at", 1)])
        due = self._settings.poll if first is None else float(first["next_at"]) - self._clock.now()
        return min(max(due, 0.01), self._settings.poll)

    async def _run_alone(self, job: Job) -> bool:
        document = await self._collection.get(job.name)
        if document is None or float(document["next_at"]) > self._clock.now():
            return False
        lease = f"job.{job.name}"
        try:
            if not await self._bus.acquire(lease, self._me, self._settings.lease):
                return False
        except BusLostError as error:
            log.warning("job put off", job=job.name, why=str(error))
            return False
        try:
            return await self._take_turn(job)
        finally:
            with suppress(BusLostError):  # then the lease ends by itself
                await self._bus.release(lease, self._me)

    async def _take_turn(self, job: Job) -> bool:
        """Claim the job, run it, and write down how it ended; the claim ends by itself when this process dies."""
        now = self._clock.now()
        claimed = await self._collection.claim(
            {"id": job.name, "next_at": {"$lte": now}},
            {"next_at": now + self._settings.lease, "started_at": now, "outcome": "running", "runner": self._me},
        )
        if claimed is None:
            return False
        keeping = asyncio.get_running_loop().create_task(self._keep(job))
        work = asyncio.get_running_loop().create_task(self._work(job))
        try:
            await asyncio.wait([work])
        finally:
            keeping.cancel()
            work.cancel()
            await asyncio.wait([keeping, work])
            await self._finish(job, state_of(claimed), work)
        return True

    async def _work(self, job: Job) -> str:
        async with asyncio.timeout(self._settings.job_timeout):
            return await job.run(self._wiring)

    async def _keep(self, job: Job) -> None:
        """Extend the claim and the lease while the job runs."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            until = self._clock.now() + self._settings.lease
            try:
                await self._collection.claim({"id": job.name, "runner": self._me}, {"next_at": until})
                await self._bus.renew(f"job.{job.name}", self._me, self._settings.lease)
            except (StoreUnavailableError, BusLostError) as error:
                log.warning("claim of a job not extended", job=job.name, why=str(error))

    async def _finish(self, job: Job, before: JobState, work: "asyncio.Task[str]") -> None:
        now = self._clock.now()
        changes: dict[str, object] = {"finished_at": now, "runner": ""}
        error = None if work.cancelled() else work.exception()
        if work.cancelled():
            changes |= {"outcome": "cut off", "text": "the server was stopped", "next_at": now}
        elif error is None:
            text = work.result()[:_TEXT_LIMIT]
            changes |= {"outcome": "done", "text": text, "failures": 0, "succeeded_at": now}
            changes["next_at"] = now + job.period + random.uniform(0, job.jitter)  # noqa: S311
            log.info("job done", job=job.name, text=text)
        else:
            failures = before.failures + 1
            text = _words(error)
            pause = min(_FIRST_RETRY * 2 ** min(failures - 1, 16), job.period)
            changes |= {"outcome": "failed", "text": text, "failures": failures}
            changes["next_at"] = now + pause + random.uniform(0, min(job.jitter, pause))  # noqa: S311
            known = isinstance(error, MailsteadError | OSError)
            log.error("job failed", job=job.name, why=text, failures=failures, exc_info=None if known else error)
            if failures == self._settings.notice_after:
                words = _TEXT.format(
                    name=job.name, purpose=job.purpose, failures=failures, why=text, hours=job.period / 3600
                )
                await write_to_administrators(self._wiring.stores, f"{job.name} fails", words)
        self._runs.labels(job.name, changes["outcome"]).inc()
        await self._collection.claim({"id": job.name, "runner": self._me}, changes)


def _words(error: BaseException) -> str:
    """What went wrong, in one line."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    words = str(error) if isinstance(error, MailsteadError | OSError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:_TEXT_LIMIT]
