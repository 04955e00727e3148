"""Running a command's work on the stores, errors as one line."""

import asyncio
import difflib
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from mailstead.administration.aliases import UnknownNameError
from mailstead.cli.configuration import current_settings
from mailstead.cli.output import fail, system_error_text
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.logging import configure_logging
from mailstead.services.stores import Stores, open_stores
from mailstead.stores.directory.records import Alias, Domain, User

T = TypeVar("T")
_NEARNESS = 0.85  # addresses of one domain have much in common


def with_stores(work: Callable[[Stores], Awaitable[T]]) -> T:
    """What `work` returns; leaves with one line and code 1 when it cannot be done."""
    settings = current_settings()
    configure_logging(settings)

    async def run() -> T:
        async with open_stores(settings) as stores:
            try:
                return await work(stores)
            except UnknownNameError as error:
                near = difflib.get_close_matches(error.name, await _names(stores, error.what), 1, _NEARNESS)
                fail(f"{error}; did you mean {near[0]}?" if near else str(error))

    return told(run())


def told(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; leaves with one line and code 1 when it cannot be done."""
    try:
        return asyncio.run(work)
    except MailsteadError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot do that: {system_error_text(error)}")


async def _names(stores: Stores, what: str) -> list[str]:
    """Every name of that kind."""
    match what:
        case "domain":
            return [domain.id for domain in await stores.directory.find(Domain)]
        case "alias":
            return [alias.address for alias in await stores.directory.find(Alias)]
        case _:
            return [user.address for user in await stores.directory.find(User)]


def password_from_stdin() -> str:
    """The first line of standard input; leaves with code 2 when it is empty."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("no password on standard input", code=2)
    return password
