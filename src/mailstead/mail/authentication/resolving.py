"""Looking up what mail authentication asks DNS for."""

from mailstead.foundation.dns.answer import Answer
from mailstead.foundation.dns.names import InvalidNameError
from mailstead.foundation.dns.resolving import Resolving

__all__ = ["Resolving", "lookup"]


_NO_SUCH_NAME = Answer("nxdomain", (), 0.0, authenticated=False)


async def lookup(resolver: Resolving, name: str, kind: str, *, spaces: bool = False) -> Answer:
    """As `query`; what cannot be a name in DNS does not exist there. Raises ResolutionError."""
    try:
        return await resolver.query(name, kind, spaces=spaces)
    except InvalidNameError:
        return _NO_SUCH_NAME
