"""Servers as child processes: started, and stopped for certain."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(command: Sequence[str | Path], log: Path, *, stop_within: float = 10) -> Iterator[subprocess.Popen[bytes]]:
    """`command` as a child whose output goes to `log`; terminated at the end, killed when it does not listen."""
    with log.open("ab") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(stop_within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
