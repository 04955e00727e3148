"""One process per service and data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailstead.foundation.errors import PermanentError


class AlreadyRunningError(PermanentError):
    """Another process serves from this data folder."""

    public_text = "Already running"


@contextmanager
def service_lock(data: Path, services: tuple[str, ...]) -> Iterator[None]:
    """Hold the locks of `services`; the system gives them back when the process ends, however it ends.

    Raises AlreadyRunningError with the other process's number when one is taken.
    """
    folder = data / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    held: list[int] = []
    try:
        for service in services:
            descriptor = os.open(folder / f"{service}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            held.append(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = os.read(descriptor, 32).decode("ascii", "replace").strip()
                raise AlreadyRunningError(f"{service} already runs on {data} as process {other}") from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
