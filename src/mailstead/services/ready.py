"""DATA/ready.json: what is listening where, for scripts and people; there while the process serves."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

import mailstead
from mailstead.foundation.clock import Clock
from mailstead.services.lock import lock_holder

EndpointTLS = Literal["none", "starttls", "implicit"]


class Endpoint(msgspec.Struct, frozen=True):
    """Where a protocol is answered."""

    host: str
    port: int
    tls: EndpointTLS


class Ready(msgspec.Struct, frozen=True):
    """The content of a ready file."""

    pid: int
    version: str
    started_at: float
    services: dict[str, Endpoint]
    ca: str


def ready_path(data: Path, services: tuple[str, ...]) -> Path:
    """The file of a process that runs `services` (empty: all of them)."""
    return data / ("ready.json" if not services else f"ready.{'-'.join(sorted(services))}.json")


def write_ready(path: Path, endpoints: Mapping[str, Endpoint], certificate_authority: Path, clock: Clock) -> None:
    """Write the ready file in one step: readers see all of it or none."""
    ready = Ready(
        pid=os.getpid(),
        version=mailstead.__version__,
        started_at=clock.now(),
        services=dict(endpoints),
        ca=str(certificate_authority),
    )
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(ready), indent=2) + b"\n")
    temporary.rename(path)


def read_all_ready(data: Path, services: Sequence[str]) -> list[Ready]:
    """The content of every ready file whose process lives; `services` are the names of all there are.

    What a killed process left behind is passed over: its locks are gone.
    """
    found = []
    holders = {lock_holder(data, service) for service in services}
    for path in sorted(data.glob("ready*.json")):
        try:
            ready = msgspec.json.decode(path.read_bytes(), type=Ready)
        except FileNotFoundError:
            continue
        if ready.pid in holders:
            found.append(ready)
    return found


def is_ready(data: Path, service: str) -> bool:
    """Whether the process that runs `service` has said that it is ready; one that still starts, or fails to, has not."""
    holder = lock_holder(data, service)
    for path in data.glob("ready*.json"):
        named = path.name.removeprefix("ready").removesuffix(".json").lstrip(".")
        if holder is None or (named and service not in named.split("-")):
            continue
        try:
            if msgspec.json.decode(path.read_bytes(), type=Ready).pid == holder:
                return True
        except FileNotFoundError:
            continue
    return False
