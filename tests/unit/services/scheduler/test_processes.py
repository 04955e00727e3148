"""Schedulers of several processes that share documents but no bus."""

import os
import subprocess
import sys
from pathlib import Path

from support.eventually import eventually_sync

TESTS = Path(__file__).parents[3]
RUNS = 40


def test_a_job_never_runs_twice_at_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.touch()
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "support.scheduler_worker", str(tmp_path)]
    workers = [subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) for _ in range(2)]
    try:
        eventually_sync(lambda: len(set(words(runs, 1))) == 2 and len(words(runs, 0)) >= 2 * RUNS)
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
            assert worker.wait(30) == 0
    said, who = words(runs, 0), words(runs, 1)
    assert said == ["begin", "end"] * (len(said) // 2)
    assert who[::2] == who[1::2]


def words(runs: Path, column: int) -> list[str]:
    return [line.split()[column] for line in runs.read_text().splitlines()]
