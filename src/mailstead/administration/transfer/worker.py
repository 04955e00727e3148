"""Works on imports and exports: those of anybody where `run` is awaited, and those whose key this process was given.

Several processes may run one: a job is claimed by one of them, which says every second how far it came and hears
whether it is to stop. A process that dies leaves its jobs to the others when their lease ends; an import then goes on
where it was, as each message is noted in the transaction that takes it, an export begins anew.
"""

import asyncio
import os
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from mailstead.administration.transfer.progress import Progress, TransferStoppedError
from mailstead.administration.transfer.work import Outcome, TransferWork
from mailstead.foundation.config.sections.transfer import TransferSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import LimitExceededError, MailsteadError, OverQuotaError, TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.migration.errors import MigrationError, RefusedError
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.transfers.transfers import State, Transfer, Transfers

CHANNEL = "transfers"
PAUSES = (30.0, 120.0, 600.0, 3600.0)
"""Seconds before another try, where one may help; after the last of them a job has failed, and its owner may go on."""

_POLL = 15.0
_NOTE = 1.0
_GRACE = 5.0  # for a batch to be written
log = structlog.get_logger("mailstead.transfers")


class TransferWorker:
    """See the module."""

    def __init__(self, jobs: Transfers, work: TransferWork, bus: Bus, settings: TransferSettings) -> None:
        self.name = f"{os.uname().nodename}-{os.getpid()}-{new_ulid()}"
        self._jobs = jobs
        self._work = work
        self._bus = bus
        self._settings = settings
        self._clock = work.administration.clock
        self._wake = asyncio.Event()
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take what is due until `drain`; waits for the document store when that is away."""
        subscription: Subscription | None = None
        try:
            subscription = await self._bus.subscribe(CHANNEL, lambda _, __: self._wake.set(), on_gap=self._wake.set)
            while not self._draining:
                self._wake.clear()
                pause = _POLL
                try:
                    await self._jobs.hold_abandoned()
                    await self._start_due()
                    due = await self._jobs.next_due()
                    if due is not None and len(self._tasks) < self._settings.at_once:
                        pause = min(max(due - self._clock.now(), 0.1), _POLL)
                except TemporaryError as error:
                    log.warning("imports and exports wait for the store", why=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            if subscription is not None:
                subscription.close()
            await self._end_tasks()

    async def _start_due(self) -> None:
        while len(self._tasks) < self._settings.at_once and not self._draining:
            claimed = await self._jobs.claim(self.name, self._settings.lease)
            if claimed is None:
                return
            self._spawn(claimed, None)

    @property
    def lease(self) -> float:
        """For how long a job is this worker's without a sign of life, in seconds."""
        return self._settings.lease

    @property
    def is_busy(self) -> bool:
        """Whether as many jobs are worked on as Settings let be at once."""
        return len(self._tasks) >= self._settings.at_once

    def begin(self, job: Transfer, key: DataKey) -> None:
        """Work on a job that is this worker's, with the mailbox's key, which is zeroed at the end."""
        self._spawn(job, key)

    async def drain(self) -> None:
        """Begin nothing more, and give back what is worked on."""
        self._draining = True
        self._wake.set()
        await self._end_tasks()

    async def _end_tasks(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _spawn(self, job: Transfer, key: DataKey | None) -> None:
        task = asyncio.get_running_loop().create_task(self._attend(job, key))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an import or export was left alone", exc_info=error)

    async def _attend(self, job: Transfer, key: DataKey | None) -> None:
        progress = Progress()
        work = asyncio.get_running_loop().create_task(self._work.carry_out(job, key, progress))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_NOTE)
                await self._note(job, progress)
                if progress.reason is not None and not work.done():
                    await asyncio.wait([work], timeout=_GRACE)
                    work.cancel()
                    await asyncio.wait([work])
        finally:
            work.cancel()
            if key is not None:
                key.close()
        try:
            await self._settle(job, progress, work)
        except TemporaryError as error:
            log.warning("what came of an import or export is not written down", id=job.id, why=str(error))

    async def _note(self, job: Transfer, progress: Progress) -> None:
        """Say how far it came, and hear whether to stop."""
        if self._draining:
            progress.stop("drained")
        until = self._clock.now() + self._settings.lease
        try:
            found = await self._jobs.note(job, until, {"done": progress.done, "total": progress.total})
        except TemporaryError as error:
            log.warning("progress is not written down", id=job.id, why=str(error))
            return
        if found is None:
            progress.stop("lost")
        elif found.cancel_wanted:
            progress.stop("cancelled")

    async def _settle(self, job: Transfer, progress: Progress, work: "asyncio.Task[Outcome]") -> None:
        changes: dict[str, Any] = {"done": progress.done, "total": progress.total}
        error = None if work.cancelled() else work.exception()
        if error is None and not work.cancelled():
            outcome = work.result()
            changes |= msgspec.to_builtins(outcome)
            if job.kind == "import":
                changes["size"] = job.size
            await self._jobs.settle(job, "done", changes)
            await self._clear(job)
        elif progress.reason == "cancelled":
            await self._jobs.settle(job, "cancelled", changes)
            await self._clear(job)
        elif isinstance(error, TransferStoppedError) or work.cancelled():
            if progress.reason == "drained":
                state: State
                state, text = (
                    ("held", "The server was stopped: go on with it yourself") if job.holder else ("waiting", "")
                )
                await self._jobs.settle(job, state, changes | {"due_at": self._clock.now(), "text": text})
        else:
            assert error is not None
            await self._settle_failed(job, progress, error, changes)

    async def _settle_failed(
        self, job: Transfer, progress: Progress, error: BaseException, changes: dict[str, Any]
    ) -> None:
        known = isinstance(error, MailsteadError | OSError)
        log.warning("import or export failed", id=job.id, why=str(error), exc_info=None if known else error)
        if isinstance(error, MailsteadError):
            changes["text"] = error.public_text
        else:
            changes["text"] = (
                "The disk refused" if isinstance(error, OSError) else "Something went wrong on this server"
            )
        if not job.holder and _may_help(error, progress) and job.tries < len(PAUSES):
            due = self._clock.now() + PAUSES[job.tries]
            await self._jobs.settle(job, "waiting", changes | {"due_at": due, "tries": job.tries + 1})
        else:
            await self._jobs.settle(job, "failed", changes)

    async def _clear(self, job: Transfer) -> None:
        """The file that was imported is no longer needed; an export's is what was asked for."""
        if job.kind == "import":
            await asyncio.to_thread(self._work.files.remove, job.id)


def _may_help(error: BaseException, progress: Progress) -> bool:
    """Whether the same again may come to another end: not what a person has to change first."""
    if isinstance(error, MigrationError):
        return progress.done > 0 and not isinstance(error, RefusedError)
    return isinstance(error, TemporaryError) and not isinstance(error, OverQuotaError | LimitExceededError)
