"""A transcript's client on a real connection."""

import ssl
from pathlib import Path

from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from support.installation import HOSTNAME

_TIMEOUT = 20.0


class SocketTalk:
    def __init__(self, connection: Connection, authority: Path) -> None:
        self._connection = connection
        self._authority = authority
        self._held = b""

    @staticmethod
    async def open(port: int, authority: Path) -> "SocketTalk":
        return SocketTalk(await connect("127.0.0.1", port, timeout=_TIMEOUT), authority)

    async def send(self, data: bytes) -> None:
        self._connection.write(data)

    async def read_line(self) -> bytes:
        while b"\n" not in self._held:
            data = await self._connection.read(_TIMEOUT)
            if not data:
                break
            self._held += data
        line, newline, self._held = self._held.partition(b"\n")
        return line + newline

    async def start_tls(self) -> None:
        context = ssl.create_default_context(cafile=self._authority)
        await self._connection.start_client_tls(context, HOSTNAME, _TIMEOUT)

    async def is_silent(self) -> bool:
        return not self._held and not self._connection.has_buffered_input()

    async def close(self) -> None:
        await self._connection.close()
