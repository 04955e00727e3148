"""One process per service and data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailstead.foundation.errors import PermanentError

LOCKS = "run"


class AlreadyRunningError(PermanentError):
    """Another process serves from this data folder."""

    public_text = "Already running"


def lock_holder(data: Path, service: str) -> int | None:
    """The number of the process that runs `service` on this data folder, as it knows itself; None when none does.

    The lock says so, for a number may be another process's by now, or one of another container's.
    """
    try:
        descriptor = os.open(data / LOCKS / f"{service}.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
        written = os.pread(descriptor, 32, 0)
    finally:
        os.close(descriptor)
    return int(written) if written.isdigit() else None


def locked_services(data: Path) -> list[str]:
    """The services that ever ran on this data folder."""
    return sorted(path.stem for path in (data / "run").glob("*.lock"))


@contextmanager
def service_lock(data: Path, services: tuple[str, ...]) -> Iterator[None]:
    """Hold the locks of `services`; the system gives them back when the process ends, however it ends.

    Raises AlreadyRunningError with the other process's number when one is taken.
    """
    folder = data / LOCKS
    folder.mkdir(mode=0o700, exist_ok=True)
    held: list[int] = []
    try:
        for service in services:
            descriptor = os.open(folder / f"{service}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            if not _taken(descriptor):
                other = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                raise AlreadyRunningError(f"{service} already runs on {data} as process {other}")
            held.append(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        for descriptor in held:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Take the lock; False when a process that serves has it. One that only looks (`lock_holder`) is soon gone."""
    while not _locked(descriptor, fcntl.LOCK_EX):
        if not _locked(descriptor, fcntl.LOCK_SH):
            return False
    return True


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
