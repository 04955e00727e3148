"""What the API tells server admins of the installation; the services that know it fill it in."""

import msgspec


class ListenerShown(msgspec.Struct, frozen=True):
    """Where a protocol is answered."""

    service: str
    host: str
    port: int
    tls: str
    pid: int


class JobShown(msgspec.Struct, frozen=True):
    """A regular job; times are null for never."""

    name: str
    outcome: str
    text: str
    failures: int
    finished_at: str | None
    next_at: str | None


class StatusShown(msgspec.Struct, frozen=True):
    """The installation as it is now; `queued` counts consignments, `is_healthy` is false when a job fails."""

    version: str
    hostname: str
    started_at: str
    is_healthy: bool
    bus_linked: bool
    queued: int
    users: int
    domains: int
    aliases: int
    listeners: list[ListenerShown]
    jobs: list[JobShown]
    object: str = "status"
