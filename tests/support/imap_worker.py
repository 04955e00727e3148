"""A second IMAP process on a data folder that is served already; run as a program.

Prints its port; stops when standard input ends. The folder's locks let one process serve IMAP; that several may share
the mailboxes is what the tests look at.
"""

import asyncio
import os
import sys

import structlog

from mailstead.foundation.config.load import load_settings
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services import imap
from mailstead.services.definition import Wiring
from mailstead.services.stores import open_stores


async def main() -> None:
    """Until standard input ends."""
    settings = load_settings(os.environ)
    async with open_stores(settings) as stores:
        contexts = TLSContexts(stores.data / "tls", settings.tls)
        service = await imap.start(
            Wiring(stores, contexts, stores.metrics, settings.server.hostname, frozenset({"imap"}))
        )
        sys.stdout.write(f"{service.endpoints['imap'].port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await service.drain(5)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main())
