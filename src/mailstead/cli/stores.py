"""Running a command's work on the stores, errors as one line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mailstead.cli.configuration import current_settings
from mailstead.cli.output import fail
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.logging import configure_logging
from mailstead.services.stores import Stores, open_stores

T = TypeVar("T")


def with_stores(work: Callable[[Stores], Awaitable[T]]) -> T:
    """What `work` returns; leaves with one line and code 1 when it cannot be done."""
    settings = current_settings()
    configure_logging(settings)

    async def run() -> T:
        async with open_stores(settings) as stores:
            return await work(stores)

    try:
        return asyncio.run(run())
    except MailsteadError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot do that: {error}")


def password_from_stdin() -> str:
    """The first line of standard input; leaves with code 2 when it is empty."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("no password on standard input", code=2)
    return password
