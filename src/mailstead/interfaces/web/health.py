"""What pages show of the machine; whoever wires the web says how it is learned."""

from collections.abc import Awaitable, Callable

import msgspec


class ServiceShown(msgspec.Struct, frozen=True):
    """A service that accepts connections."""

    name: str
    host: str
    port: int
    tls: str


class JobShown(msgspec.Struct, frozen=True):
    """A job of the scheduler; times in seconds since the epoch, 0 for never."""

    name: str
    outcome: str
    finished_at: float
    next_at: float
    failures: int
    text: str


class Health(msgspec.Struct, frozen=True):
    """What runs here. `room` is free space of the data folder and `space` all of it, in octets."""

    version: str
    services: tuple[ServiceShown, ...]
    jobs: tuple[JobShown, ...]
    room: int
    space: int


ReadHealth = Callable[[], Awaitable[Health]]
