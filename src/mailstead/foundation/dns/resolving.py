"""The resolver as those see it who ask it."""

from typing import Protocol

from mailstead.foundation.dns.answer import Answer


class Resolving(Protocol):
    """Asks DNS; foundation.dns.resolver.Resolver is one."""

    async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
        """The records of type `kind` at `name`, which may hold `spaces`. Raises ResolutionError, InvalidNameError."""
        ...
