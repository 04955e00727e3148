"""Connections that are made rather than accepted."""

import asyncio

from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.server import UNIX_PREFIX


async def connect(address: str, port: int, *, timeout: float, source: str | None = None) -> Connection:
    """Connect to `address` (or `unix:/path`) within `timeout` seconds, from the local address `source`.

    Raises OSError, TimeoutError included.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout):
        if address.startswith(UNIX_PREFIX):
            _, connection = await loop.create_unix_connection(
                lambda: Connection(new_ulid(), ""), address.removeprefix(UNIX_PREFIX)
            )
            return connection
        _, connection = await loop.create_connection(
            lambda: Connection(new_ulid(), ""), address, port, local_addr=(source, 0) if source else None
        )
    connection.set_no_delay()
    return connection
