"""Imports and exports: the desk that interfaces ask, and the worker behind it."""

import asyncio
from collections.abc import Mapping

import structlog

from mailstead.administration.transfer.desk import TransferDesk
from mailstead.administration.transfer.work import TransferWork
from mailstead.administration.transfer.worker import TransferWorker
from mailstead.foundation.net.reach import Reach
from mailstead.services.definition import Running, Wiring
from mailstead.services.ready import Endpoint
from mailstead.services.stores import Stores
from mailstead.stores.transfers.files import TransferFiles
from mailstead.stores.transfers.transfers import Transfers

FOLDER = "transfers"
log = structlog.get_logger("mailstead.transfers")


def transfer_files(stores: Stores) -> TransferFiles:
    """The files that jobs work on."""
    return TransferFiles(stores.data / FOLDER)


def transfer_work(stores: Stores) -> TransferWork:
    """What carries jobs out."""
    reach = Reach(stores.resolver, stores.settings.transfer.private_networks)
    return TransferWork(stores.administration, transfer_files(stores), reach, stores.data / "spool")


def transfer_worker(stores: Stores) -> TransferWorker:
    """A worker; see its module."""
    jobs = Transfers(stores.documents, stores.clock)
    return TransferWorker(jobs, transfer_work(stores), stores.bus, stores.settings.transfer)


def transfer_desk(stores: Stores) -> tuple[TransferDesk, TransferWorker]:
    """What interfaces ask, and the worker for mailboxes whose keys they give: to be drained at the end."""
    jobs, work = Transfers(stores.documents, stores.clock), transfer_work(stores)
    worker = TransferWorker(jobs, work, stores.bus, stores.settings.transfer)
    return TransferDesk(jobs, work, worker, stores.bus), worker


class WithTransfers:
    """A service, and a worker that ends with it."""

    def __init__(self, running: Running, worker: TransferWorker) -> None:
        self._running = running
        self._worker = worker

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._running.endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await asyncio.gather(self._running.drain(timeout), self._worker.drain())


class WorksOnTransfers:
    """A service beside which a worker takes the jobs of everybody."""

    def __init__(self, running: Running, worker: TransferWorker) -> None:
        self._running = running
        self._worker = worker
        self._task = asyncio.get_running_loop().create_task(worker.run())
        self._task.add_done_callback(_report)

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._running.endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await asyncio.gather(self._running.drain(timeout), self._worker.drain())
        await self._task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the worker of imports and exports ended", exc_info=error)


async def clear_transfers(wiring: Wiring) -> str:
    """Remove jobs that ended long ago, their archives, and files that no job has."""
    stores = wiring.stores
    jobs, files = Transfers(stores.documents, stores.clock), transfer_files(stores)
    now = stores.clock.now()
    count = 0
    for job in await jobs.ended_before(now - stores.settings.transfer.kept):
        if job.state == "held":
            await jobs.cancel(job.id)
        count += await jobs.forget(job.id)
        await asyncio.to_thread(files.remove, job.id)
    orphans = await asyncio.to_thread(files.sweep, await jobs.identifiers(), now)
    return f"{count} imports and exports forgotten, {orphans} files that nobody has removed"
