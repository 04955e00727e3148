"""What services are made from, and what they are while they run."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.listen import Listening
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.services.ready import Endpoint
from mailstead.services.stores import Stores


class Wiring(msgspec.Struct, frozen=True):
    """What every service is made from."""

    stores: Stores
    contexts: TLSContexts
    metrics: Metrics
    hostname: str
    together: frozenset[str]  # the services of this process, and of the one whose worker it is
    listening: Listening = msgspec.field(default_factory=Listening)
    is_worker: bool = False  # one of several processes of its services, and not the first
    own: set[tuple[str, int]] = msgspec.field(default_factory=set)  # connections that this process made to itself


class Running(Protocol):
    """A started service."""

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Where it listens, by the names of ready.json."""
        ...

    async def drain(self, timeout: float) -> None:
        """Take nothing new, finish what was begun within `timeout` seconds, and stop."""
        ...
