"""Memory and work of processes, as the kernel counts them."""

import os
from pathlib import Path

_PROC = Path("/proc")


def _rollup(pid: int, field: str) -> float:
    """Megabytes; 0 when the process is gone."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(f"{field}:"))


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in (_PROC / str(pid) / "task").iterdir():
        try:
            children = (task / "children").read_text("ascii").split()
        except FileNotFoundError:
            continue
        for child in children:
            found += _family(int(child))
    return found


def worked(pid: int) -> float:
    """Seconds of CPU that a process and all below it have used; other programs do not disturb that."""
    ticks = 0
    for one in _family(pid):
        fields = (_PROC / str(one) / "stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Resident set of a process and all below it, in MB; pages that they share are counted for each."""
    return sum(_rollup(one, "Rss") for one in _family(pid))


def proportional(pid: int) -> float:
    """The same with each shared page counted once (PSS): fair to servers of many processes."""
    return sum(_rollup(one, "Pss") for one in _family(pid))
