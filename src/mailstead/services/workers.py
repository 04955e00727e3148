"""More processes for the services of this one, to use more than one processor.

Each worker accepts from the very sockets that this process listens on, so a connection goes to whoever is free, and
none is lost when a worker ends. It opens the stores for itself, as any process does. Worker and parent hold the two
ends of a socket pair: the worker writes one octet when it accepts connections, and stops when its parent is gone. A
worker that ends is started again, after a pause that grows while that does not help.
"""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence

import msgspec
import structlog

from mailstead.foundation.errors import PermanentError
from mailstead.foundation.net.listen import Listening
from mailstead.services.registry import Service

log = structlog.get_logger("mailstead.workers")
READY = b"+"
_START_TIMEOUT = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_SLACK = 3.0  # seconds more than sessions have: closing the stores takes its time, too


class WorkerFailedError(PermanentError):
    """A worker ended before it was ready."""

    public_text = "A worker process did not start"


class Assignment(msgspec.Struct, frozen=True):
    """What a worker is told: the services it has a part in, those beside them, and descriptors it was given."""

    number: int
    services: tuple[str, ...]
    together: tuple[str, ...]
    listening: dict[str, list[int]]
    parent: int


class Workers:
    """`count` workers of those of `services` that several processes may answer."""

    def __init__(self, count: int, services: Sequence[Service], names: Sequence[str], listening: Listening) -> None:
        """`names` are the listeners of the services; those that are on are in `listening`."""
        self._services = tuple(service.name for service in services if service.is_shared)
        self._together = tuple(service.name for service in services)
        self._count = count if self._services else 0
        self._sockets = {name: opened for name in names if (opened := listening.opened(name))}
        self._stopping = asyncio.Event()
        self._processes: dict[int, Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all; back when they accept connections. Raises WorkerFailedError."""
        loop = asyncio.get_running_loop()
        ready = [loop.create_future() for _ in range(self._count)]
        self._tasks = [loop.create_task(self._keep(number, first)) for number, first in enumerate(ready, 1)]
        await asyncio.gather(*ready)

    async def _keep(self, number: int, first: "asyncio.Future[None]") -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            process, channel = await self._spawn(number)
            self._processes[number] = process
            with channel:
                if await _is_ready(channel):
                    log.info("worker ready", number=number, process=process.pid)
                    pause = _FIRST_PAUSE
                    if not first.done():
                        first.set_result(None)
                elif process.returncode is None:
                    process.kill()
                code = await process.wait()
            del self._processes[number]
            if not first.done():
                first.set_exception(WorkerFailedError(detail=f"exit code {code}"))
                return
            if self._stopping.is_set():
                return
            log.error("worker ended and is started again", number=number, code=code, pause=pause)
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
            except TimeoutError:
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _spawn(self, number: int) -> tuple[Process, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            assignment = Assignment(
                number,
                self._services,
                self._together,
                {name: [one.fileno() for one in opened] for name, opened in self._sockets.items()},
                theirs.fileno(),
            )
            told = msgspec.json.encode(assignment).decode()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mailstead", "serve", "--worker", told),
                stdin=DEVNULL,
                pass_fds=[theirs.fileno(), *(one.fileno() for opened in self._sockets.values() for one in opened)],
            )
        return process, ours

    async def drain(self, timeout: float) -> None:
        """Have all workers finish what they began within `timeout` seconds; kill those that do not."""
        self._stopping.set()
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout + _SLACK)
            for process in list(self._processes.values()):
                log.error("worker killed: it did not stop", process=process.pid)
                process.kill()
            if late:
                await asyncio.wait(late)
        for task in self._tasks:
            task.result()


async def _is_ready(channel: socket.socket) -> bool:
    """Whether the worker says so; False when it ends first, or takes too long."""
    try:
        async with asyncio.timeout(_START_TIMEOUT):
            return await asyncio.get_running_loop().sock_recv(channel, 1) == READY
    except TimeoutError:
        return False
