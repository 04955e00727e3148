"""Which servers are asked, and in which order."""

import ipaddress
import re
from pathlib import Path

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import InvalidError

RESOLV_CONF = Path("/etc/resolv.conf")
_PORT = 53
_LOOK_INTERVAL = 5.0
_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")

Server = tuple[str, int]

log = structlog.get_logger("mailstead.dns")


class InvalidServerError(InvalidError):
    """The text is no address of a DNS server."""

    public_text = "Not the address of a DNS server"


def parse_server(text: str) -> Server:
    """Address and port of `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.

    Raises InvalidServerError.
    """
    found = _SERVER.fullmatch(text)
    host, port = (found[1] or found[2] or text, found[3]) if found is not None else (text, None)
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError as error:
        raise InvalidServerError(detail=repr(text)) from error
    number = _PORT if port is None else int(port)
    if not 0 < number < 65536:
        raise InvalidServerError(detail=repr(text))
    return address, number


class Servers:
    """The servers, the one that answered last first.

    Without configured ones, those of resolv.conf, which is looked at again every few seconds: it changes with the
    network. Without any, the one on this host.
    """

    def __init__(self, configured: tuple[str, ...], clock: Clock, resolv_conf: Path = RESOLV_CONF) -> None:
        self._clock = clock
        self._resolv_conf = resolv_conf if not configured else None
        self._modified = -1
        self._looked = clock.monotonic()
        self._order = [parse_server(text) for text in configured]
        if self._resolv_conf is not None:
            self._look(self._resolv_conf)

    def order(self) -> list[Server]:
        """Servers to try, best first."""
        if self._resolv_conf is not None and self._clock.monotonic() - self._looked >= _LOOK_INTERVAL:
            self._looked = self._clock.monotonic()
            self._look(self._resolv_conf)
        return list(self._order)

    def failed(self, server: Server) -> None:
        """Ask `server` last from now on."""
        if server in self._order:
            self._order.remove(server)
            self._order.append(server)

    def _look(self, path: Path) -> None:
        try:
            modified = path.stat().st_mtime_ns
            if modified == self._modified:
                return
            text = path.read_text("utf-8", "replace")
        except OSError as error:
            log.warning("resolv.conf not read", path=str(path), why=str(error))
            modified, text = 0, ""
        self._modified = modified
        self._order = _nameservers(text) or [("127.0.0.1", _PORT)]


def _nameservers(text: str) -> list[Server]:
    found: list[Server] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            address = ipaddress.ip_address(words[1])
        except ValueError:
            log.warning("nameserver of resolv.conf skipped", address=words[1])
            continue
        if (str(address), _PORT) not in found:
            found.append((str(address), _PORT))
    return found
