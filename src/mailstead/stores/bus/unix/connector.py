"""Serving or joining: whoever gets the lock on DATA/bus.lock serves DATA/bus.sock.

The kernel gives the lock back when its process ends, however it ends.
"""

import asyncio
import fcntl
import os
import socket
from pathlib import Path

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.stores.bus.link import Link, LinkLostError, OnEvent
from mailstead.stores.bus.unix.guest import connect_guest
from mailstead.stores.bus.unix.host import GuestConnection, Host, HostLink

SOCKET_NAME = "bus.sock"
LOCK_NAME = "bus.lock"
_BACKLOG = 128
_RESERVED = 1.0  # seconds that leases wait for those who held them when a process takes over

_log = structlog.get_logger("mailstead.bus")


class UnixConnector:
    """Makes links for one process whose data are in `data`."""

    def __init__(self, data: Path, settings: BusSettings, clock: Clock) -> None:
        self._data = data
        self._settings = settings
        self._clock = clock
        self._was_guest = False

    async def __call__(self, on_event: OnEvent) -> Link:
        """A link as the host, or to the host. Raises LinkLostError."""
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._data / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LinkLostError(str(error)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return await self._serve(lock, on_event)
        folder = os.open(self._data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            link = await connect_guest(_short_path(folder), self._settings, on_event)
        finally:
            os.close(folder)
        self._was_guest = True
        return link

    async def _serve(self, lock: int, on_event: OnEvent) -> HostLink:
        try:
            listening = self._bind()
            host = Host(self._settings, self._clock)
            if self._was_guest:
                host.entries.reserve(_RESERVED)
            loop = asyncio.get_running_loop()
            server = await loop.create_unix_server(lambda: GuestConnection(host), sock=listening, backlog=_BACKLOG)
        except OSError as error:
            os.close(lock)
            raise LinkLostError(str(error)) from error
        except asyncio.CancelledError:
            os.close(lock)
            raise
        _log.debug("bus.serving", took_over=self._was_guest)
        return HostLink(host, server, on_event, lambda: os.close(lock))

    def _bind(self) -> socket.socket:
        folder = os.open(self._data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            (self._data / SOCKET_NAME).unlink(missing_ok=True)
            listening.bind(_short_path(folder))
            (self._data / SOCKET_NAME).chmod(0o600)  # before anybody can connect: it does not listen yet
        except OSError:
            listening.close()
            raise
        finally:
            os.close(folder)
        listening.setblocking(False)
        return listening


def _short_path(folder: int) -> str:
    """The socket by the folder's descriptor: a socket's path has 107 bytes at most, a data folder may have more."""
    return f"/proc/self/fd/{folder}/{SOCKET_NAME}"
