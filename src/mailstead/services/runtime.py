"""Start services in order, say when all are ready, and stop them without losing anything.

States: starting -> ready -> draining -> stopped. The ready file exists exactly while the state is ready. SIGTERM and
SIGINT begin the drain, SIGHUP reloads certificates. Every service gets the same time to drain, all at once, and so do
the workers (workers.py); stores are closed after the last of them.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

import mailstead
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.net.listen import Listening
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.certificate import TLS_FOLDER, ensure_certificate
from mailstead.services.definition import Running, Wiring
from mailstead.services.hostname import host_name
from mailstead.services.lock import service_lock
from mailstead.services.ready import Endpoint, ready_path, write_ready
from mailstead.services.registry import Service
from mailstead.services.running import STOP_SIGNALS, drain
from mailstead.services.secret import data_directory
from mailstead.services.stores import open_stores
from mailstead.services.workers import Workers

log = structlog.get_logger("mailstead.runtime")


class Serving:
    """What is running, given to those who wait for the start (the demo, the welcome box)."""

    def __init__(self, wiring: Wiring, endpoints: dict[str, Endpoint], authority: Path) -> None:
        self.wiring = wiring
        self.endpoints = endpoints
        self.authority = authority


async def run_services(
    settings: Settings,
    services: Sequence[Service],
    *,
    named: tuple[str, ...] = (),
    when_started: Callable[[Serving], Awaitable[None]] | None = None,
) -> None:
    """Run `services` until a stop signal; `named` are those asked for by name (empty: all).

    `when_started` is awaited when every service accepts connections, before the ready file is written. Raises
    AlreadyRunningError, and whatever a service's start raises, after stopping those that had started.
    """
    data = data_directory(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.enter_context(service_lock(data, tuple(service.name for service in services)))
        ready = ready_path(data, named)
        ready.unlink(missing_ok=True)  # of a process that was killed
        authority = ensure_certificate(settings, data)
        stores = await stack.enter_async_context(open_stores(settings))
        wiring = Wiring(
            stores=stores,
            contexts=TLSContexts(data / TLS_FOLDER, settings.tls),
            metrics=stores.metrics,
            hostname=host_name(settings),
            together=frozenset(service.name for service in services),
            listening=Listening(processes=settings.server.workers),
        )
        running: list[tuple[str, Running]] = []
        endpoints: dict[str, Endpoint] = {}
        shared: list[str] = []
        workers: Workers | None = None
        try:
            for service in services:
                started = await service.start(wiring)
                running.append((service.name, started))
                endpoints |= started.endpoints
                if service.is_shared:
                    shared += started.endpoints
            for number in STOP_SIGNALS:
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, wiring.contexts.reload)
            if when_started is not None:
                await when_started(Serving(wiring, endpoints, authority))
            workers = Workers(settings.server.workers - 1, services, shared, wiring.listening)
            await workers.start()
            write_ready(ready, endpoints, authority, stores.clock)
            log.info("ready", version=mailstead.__version__, services=[name for name, _ in running])
            try:
                await stop.wait()
            finally:
                ready.unlink(missing_ok=True)
        finally:
            timeout = settings.server.drain_timeout
            await asyncio.gather(drain(running, timeout), *([workers.drain(timeout)] if workers is not None else []))
    log.info("stopped")
