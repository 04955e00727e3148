"""The resolver as mail authentication sees it."""

from typing import Protocol

from mailstead.foundation.dns.answer import Answer
from mailstead.foundation.dns.names import InvalidNameError


class Resolving(Protocol):
    """Asks DNS; foundation.dns.resolver.Resolver is one."""

    async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
        """The records of type `kind` at `name`, which may hold `spaces`. Raises ResolutionError, InvalidNameError."""
        ...


_NO_SUCH_NAME = Answer("nxdomain", (), 0.0, authenticated=False)


async def lookup(resolver: Resolving, name: str, kind: str, *, spaces: bool = False) -> Answer:
    """As `query`; what cannot be a name in DNS does not exist there. Raises ResolutionError."""
    try:
        return await resolver.query(name, kind, spaces=spaces)
    except InvalidNameError:
        return _NO_SUCH_NAME
