"""`mailstead trace`."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailstead.foundation.clock import SystemClock
from mailstead.stores.documents.open import open_documents
from mailstead.stores.trace.trace import Trace, TraceEntry


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as people call it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILSTEAD_")}
    environment["MAILSTEAD_DATA"] = str(data)
    command = [sys.executable, "-m", "mailstead", "trace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=data, env=environment, timeout=60)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder where a message to alice was received."""

    async def record() -> None:
        documents = open_documents("sqlite:", tmp_path)
        await documents.open()
        written = Trace(documents)
        await written.open()
        now = SystemClock().now()
        for event in ("received", "delivered"):
            keys = ("alice@example.test",)
            written.record(
                TraceEntry(trace_id="01x", at=now, service="mx", event=event, text=f"It was {event}", keys=keys)
            )
        await written.close()
        await documents.close()

    asyncio.run(record())
    return tmp_path


def test_the_way_in_plain_words(data: Path) -> None:
    result = run(data, "alice@example.test", "--since", "1h")
    assert result.returncode == 0
    assert [line.split("\t")[1:] for line in result.stdout.splitlines()] == [
        ["01x", "mx", "received", "It was received"],
        ["01x", "mx", "delivered", "It was delivered"],
    ]


def test_json(data: Path) -> None:
    result = run(data, "01X", "--json")
    (way,) = json.loads(result.stdout)
    assert [entry["event"] for entry in way["entries"]] == ["received", "delivered"]


def test_nothing_found(data: Path) -> None:
    result = run(data, "bob@example.test", "--json")
    assert (result.returncode, result.stdout) == (1, "[]\n")


def test_refuses_other_durations(data: Path) -> None:
    assert run(data, "bob@example.test", "--since", "soon").returncode == 2
