"""Connections that are made rather than accepted."""

import asyncio
from functools import partial

from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.listen import UNIX_PREFIX


async def connect(address: str, port: int, *, timeout: float, source: str | None = None) -> Connection:
    """Connect to `address` (or `unix:/path`) within `timeout` seconds, from the local address `source`.

    Raises OSError, TimeoutError included.
    """
    loop = asyncio.get_running_loop()
    made = partial(Connection, new_ulid(), "")
    async with asyncio.timeout(timeout):
        if address.startswith(UNIX_PREFIX):
            _, connection = await loop.create_unix_connection(made, address.removeprefix(UNIX_PREFIX))
        else:
            _, connection = await loop.create_connection(
                made, address, port, local_addr=(source, 0) if source else None
            )
    return connection
