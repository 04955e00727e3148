"""The scheduler service."""

import asyncio
from collections.abc import Mapping

from mailstead.services.definition import Wiring
from mailstead.services.ready import Endpoint
from mailstead.services.scheduler.jobs import JOBS
from mailstead.services.scheduler.scheduler import Scheduler
from mailstead.services.transfers import WorksOnTransfers, transfer_worker


class SchedulerService:
    """The running scheduler; it listens nowhere."""

    endpoints: Mapping[str, Endpoint] = {}

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._task = asyncio.get_running_loop().create_task(scheduler.run())

    async def drain(self, timeout: float) -> None:
        """See Running. A job that does not end in time is cut off and begun again at the next start."""
        self._scheduler.stop()
        _, late = await asyncio.wait([self._task], timeout=timeout)
        if late:
            self._task.cancel()
            await asyncio.wait([self._task])


async def start(wiring: Wiring) -> WorksOnTransfers:
    """Plan the jobs and run those that are due; work on imports and exports. Raises StoreUnavailableError."""
    scheduler = Scheduler(wiring, JOBS)
    await scheduler.open()
    return WorksOnTransfers(SchedulerService(scheduler), transfer_worker(wiring.stores))
