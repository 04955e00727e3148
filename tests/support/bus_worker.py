"""A process on the unix bus of the folder it is given; run as a program, lives until it is killed.

Says "ready" when it is linked, then publishes each line it reads on the channel "worker".
"""

import asyncio
import sys
from pathlib import Path

import structlog

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.open import open_bus


async def main(data: str) -> None:
    """Until standard input ends."""
    bus = open_bus("unix:", Path(data), BusSettings())
    await bus.open()
    await bus.acquire("worker", "worker", 60)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await bus.publish("worker", line.strip().encode())
    await bus.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1]))
