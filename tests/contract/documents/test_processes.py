"""Several real processes on one store at the same time."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mailstead.stores.documents.interface import Collection, Documents
from support import document_worker

_PROCESSES = 4
_TIMEOUT = 120


@pytest.fixture
async def work(documents: Documents) -> Collection:
    return await documents.collection(document_worker.SPEC)


def run_workers(url: str, data: Path, task: str, rounds: int) -> list[str]:
    """What all workers said."""
    command = [sys.executable, document_worker.__file__, url, str(data), task, str(rounds)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(_PROCESSES)]
    lines: list[str] = []
    for worker in workers:
        output, _ = worker.communicate(timeout=_TIMEOUT)
        assert worker.returncode == 0
        lines += output.splitlines()
    return lines


async def test_nothing_is_claimed_twice(work: Collection, documents_url: str, tmp_path: Path) -> None:
    await work.insert_many([{"id": f"{number:04}", "state": "ready", "due": number % 7} for number in range(300)])
    claimed = run_workers(documents_url, tmp_path / "data", "claim", 0)
    assert sorted(claimed) == [f"{number:04}" for number in range(300)]
    assert await work.count({"state": "taken", "version": 2}) == 300


async def test_a_name_is_given_once(work: Collection, documents_url: str, tmp_path: Path) -> None:
    given = run_workers(documents_url, tmp_path / "data", "name", 50)
    assert sorted(given) == sorted(f"name {number}" for number in range(50))
    assert await work.count({}) == 50


async def test_no_addition_is_lost(work: Collection, documents_url: str, tmp_path: Path) -> None:
    await work.insert({"id": "counter", "value": 0})
    said = Counter(run_workers(documents_url, tmp_path / "data", "count", 8))
    counter = await work.get("counter")
    assert counter is not None
    assert counter["value"] == said["counted"] == _PROCESSES * 4 * 8
    assert counter["version"] == counter["value"] + 1


async def test_writers_see_each_others_indexes(work: Collection, documents_url: str, tmp_path: Path) -> None:
    said = run_workers(documents_url, tmp_path / "data", "write", 20)
    assert len(said) == _PROCESSES * 4 * 20 * 2
    assert await work.count({"tags": "seen"}) == _PROCESSES * 4 * 20
    assert await work.count({"tags": "all"}) == 0
