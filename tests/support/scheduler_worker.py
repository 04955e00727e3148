"""A process with a scheduler: `python -m support.scheduler_worker FOLDER`, until its standard input ends.

Its one job adds a line to FOLDER/runs when it begins and one when it ends.
"""

import asyncio
import os
import sys
from pathlib import Path

from mailstead.foundation.config.sections.scheduler import SchedulerSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.certificate import TLS_FOLDER, ensure_certificate
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.job import Job
from mailstead.services.scheduler.scheduler import Scheduler
from mailstead.services.stores import open_stores


def note(folder: Path, word: str) -> None:
    with (folder / "runs").open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


async def work(folder: Path) -> None:
    settings = Settings(server=ServerSettings(data=str(folder)), scheduler=SchedulerSettings(poll=0.01))

    async def run(_: Wiring) -> str:
        note(folder, "begin")
        await asyncio.sleep(0.005)  # the work
        note(folder, "end")
        return "done"

    async with open_stores(settings) as stores:
        ensure_certificate(settings, folder)
        contexts = TLSContexts(folder / TLS_FOLDER, settings.tls)
        wiring = Wiring(stores, contexts, stores.metrics, "mail.example.test", frozenset({"scheduler"}))
        scheduler = Scheduler(wiring, [Job(name="care", purpose="test", period=0.01, jitter=0.005, run=run)])
        await scheduler.open()
        task = asyncio.create_task(scheduler.run())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        scheduler.stop()
        await task


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1])))
