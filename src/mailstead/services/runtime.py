"""Start services in order, say when all are ready, and stop them without losing anything.

States: starting -> ready -> draining -> stopped. The ready file exists exactly while the state is ready. SIGTERM and
SIGINT begin the drain, SIGHUP reloads certificates. Every service gets the same time to drain, all at once; stores are
closed after the last of them.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

import mailstead
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.certificate import TLS_FOLDER, ensure_certificate
from mailstead.services.definition import Running, Wiring
from mailstead.services.hostname import host_name
from mailstead.services.lock import service_lock
from mailstead.services.ready import Endpoint, ready_path, write_ready
from mailstead.services.registry import Service
from mailstead.services.secret import data_directory
from mailstead.services.stores import open_stores

log = structlog.get_logger("mailstead.runtime")

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
        )
        running: list[tuple[str, Running]] = []
        endpoints: dict[str, Endpoint] = {}
        try:
            for service in services:
                started = await service.start(wiring)
                running.append((service.name, started))
                endpoints |= started.endpoints
            for number in _STOP_SIGNALS:
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, wiring.contexts.reload)
            if when_started is not None:
                await when_started(Serving(wiring, endpoints, authority))
            write_ready(ready, endpoints, authority, stores.clock)
            log.info("ready", version=mailstead.__version__, services=[name for name, _ in running])
            try:
                await stop.wait()
            finally:
                ready.unlink(missing_ok=True)
        finally:
            await _drain(running, settings.server.drain_timeout)
    log.info("stopped")


async def _drain(running: Sequence[tuple[str, Running]], timeout: float) -> None:
    results = await asyncio.gather(
        *(started.drain(timeout) for _, started in reversed(running)), return_exceptions=True
    )
    for (name, _), result in zip(reversed(running), results, strict=True):
        if isinstance(result, BaseException):
            log.error("service did not stop cleanly", service=name, exc_info=result)
