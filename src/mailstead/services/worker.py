"""A worker: one more process for services that another one runs. See workers.py for how the two are tied."""

import asyncio
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.net.listen import Listening
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.certificate import TLS_FOLDER
from mailstead.services.definition import Running, Wiring
from mailstead.services.hostname import host_name
from mailstead.services.registry import services_named
from mailstead.services.running import STOP_SIGNALS, drain
from mailstead.services.secret import data_directory
from mailstead.services.stores import open_stores
from mailstead.services.workers import READY, Assignment

log = structlog.get_logger("mailstead.workers")


async def run_worker(settings: Settings, assignment: Assignment) -> None:
    """Serve until a stop signal, or until the parent is gone. Raises whatever a service's start raises."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=assignment.parent) as parent, _taken_over(assignment.listening) as sockets:
        async with open_stores(settings) as stores:
            wiring = Wiring(
                stores=stores,
                contexts=TLSContexts(data_directory(settings) / TLS_FOLDER, settings.tls),
                metrics=stores.metrics,
                hostname=host_name(settings),
                together=frozenset(assignment.together),
                listening=Listening(sockets, processes=settings.server.workers),
                is_worker=True,
            )
            running: list[tuple[str, Running]] = []
            try:
                for service in services_named(assignment.services):
                    running.append((service.name, await service.start(wiring)))
                for number in STOP_SIGNALS:
                    loop.add_signal_handler(number, stop.set)
                loop.add_signal_handler(signal.SIGHUP, wiring.contexts.reload)
                parent.setblocking(False)
                loop.add_reader(parent.fileno(), _gone, parent, stop)
                parent.send(READY)
                log.info("ready", number=assignment.number, services=assignment.services)
                await stop.wait()
            finally:
                loop.remove_reader(parent.fileno())
                await drain(running, settings.server.drain_timeout)
    log.info("stopped", number=assignment.number)


def _gone(parent: socket.socket, stop: asyncio.Event) -> None:
    """The parent sends nothing: what can be read is its end."""
    asyncio.get_running_loop().remove_reader(parent.fileno())
    log.error("stopping: the process that started this one is gone")
    stop.set()


@contextmanager
def _taken_over(listening: Mapping[str, list[int]]) -> Iterator[dict[str, list[socket.socket]]]:
    """The sockets of descriptors that were given."""
    sockets = {name: [socket.socket(fileno=number) for number in numbers] for name, numbers in listening.items()}
    try:
        yield sockets
    finally:
        for opened in sockets.values():
            for one in opened:
                one.close()
