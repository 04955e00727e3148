"""DATA/ready.json: what is listening where, for scripts and people; there while the process serves."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

import mailstead
from mailstead.foundation.clock import Clock


class Endpoint(msgspec.Struct, frozen=True):
    """Where a protocol is answered."""

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]


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


def read_ready(path: Path) -> Ready | None:
    """The ready file's content, or None when no process serves or the one that wrote it is gone."""
    try:
        ready = msgspec.json.decode(path.read_bytes(), type=Ready)
    except FileNotFoundError:
        return None
    return ready if _alive(ready.pid) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
