"""Listening sockets, and the loop that accepts from them.

Connections are accepted as bare sockets, before any transport exists: one that a limit refuses costs no task, a PROXY
header is read to its last octet and no further, and no byte of a TLS handshake can be taken for anything else.
"""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from mailstead.foundation.net.connection import Endpoint, endpoint_of

UNIX_PREFIX = "unix:"
EVERYWHERE = ("", "*")
_BACKLOG = 512
_BATCH = 64
_PAUSE = 0.5
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})  # a host without IPv6 that has it in its files

Accepted = Callable[[socket.socket, Endpoint], None]

log = structlog.get_logger("mailstead.net")


async def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on `host`: a name, an address, `unix:/path`, or all addresses where it is empty or `*`.

    All have the same port; with port 0 the system chooses it. Raises OSError.
    """
    if host.startswith(UNIX_PREFIX):
        return [_listen_unix(Path(host.removeprefix(UNIX_PREFIX)))]
    wanted = None if host in EVERYWHERE else host
    found = await asyncio.get_running_loop().getaddrinfo(
        wanted, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG if wanted is None else 0
    )
    sockets: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            sockets.append(_listen(family, (address[0], port, *address[2:])))
        except OSError as error:
            if error.errno in _NO_SUCH_ADDRESS and len(found) > 1:
                log.warning("address not listened on", address=address[0], why=error.strerror)
                continue
            for opened in sockets:
                opened.close()
            raise
        port = sockets[0].getsockname()[1]
    if not sockets:
        raise OSError(errno.EADDRNOTAVAIL, f"nothing of {host!r} can be listened on")
    return sockets


def _listen(family: int, address: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _listen_unix(path: Path) -> socket.socket:
    """Only the owner may connect, from the first moment: nobody can before `listen`."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


class Listening:
    """The listening sockets of this process by the names of its listeners.

    They are opened here, or were opened by another process and are `given`: then there are those and no others.
    `processes` is how many accept from each.
    """

    def __init__(self, given: Mapping[str, Sequence[socket.socket]] | None = None, *, processes: int = 1) -> None:
        self._is_given = given is not None
        self._sockets = {name: list(sockets) for name, sockets in (given or {}).items()}
        self.is_shared = processes > 1

    def has(self, name: str) -> bool:
        """Whether the listener of that name can be served here."""
        return not self._is_given or name in self._sockets

    def opened(self, name: str) -> list[socket.socket]:
        """The sockets of a listener that is served."""
        return self._sockets.get(name, [])

    async def sockets(self, name: str, host: str, port: int) -> list[socket.socket]:
        """The sockets of a listener, opened when none are given. Raises OSError."""
        if not self._is_given:
            self._sockets[name] = await open_sockets(host, port)
        return self._sockets[name]


class Acceptor:
    """Hands every accepted socket (not blocking) with its peer to `accepted`.

    Of a listening socket that is shared with other processes one connection is taken at a time: who is busy leaves the
    next one to the others.
    """

    def __init__(self, listening: socket.socket, accepted: Accepted, *, is_shared: bool = False) -> None:
        self._listening = listening
        self._batch = 1 if is_shared else _BATCH
        self._accepted = accepted
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(listening.fileno(), self._ready)

    def _ready(self) -> None:
        for _ in range(self._batch):
            try:
                taken, name = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                log.error("no connection accepted for want of resources", why=os.strerror(error.errno or 0))
                self._loop.remove_reader(self._listening.fileno())
                self._pause = self._loop.call_later(_PAUSE, self._resume)
                return
            taken.setblocking(False)
            self._accepted(taken, endpoint_of(name))

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listening.fileno(), self._ready)

    def close(self) -> None:
        """Accept nothing more; removes the file of a unix socket."""
        if self._pause is not None:
            self._pause.cancel()
        else:
            self._loop.remove_reader(self._listening.fileno())
        if self._listening.family == socket.AF_UNIX:
            Path(self._listening.getsockname()).unlink(missing_ok=True)
        self._listening.close()
