"""Results are counted, written down, and kept once."""

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.reports.collector import COLLECTED, RESULTS, ResultCollector
from mailstead.mail.reports.journal import left_journals
from mailstead.stores.documents.interface import StoreUnavailableError
from support.eventually import eventually
from support.installation import Installation
from support.reporting import Reporting, checks, open_reporting


async def test_results_are_bounded_and_kept_by_themselves(tmp_path: Path) -> None:
    async with open_reporting(tmp_path, rows=100) as reporting:
        for number in range(150):
            reporting.collector.noted(TlsPolicy(domain=f"d{number}.test", host="mx"), "192.0.2.1", "success", "")
        collection = await reporting.made.documents.collection(COLLECTED)

        async def all_kept() -> bool:
            return await collection.count({"kind": "tls"}) == 100

        await eventually(all_kept)
        await reporting.collector.close()
        assert await collection.count({"kind": "tls"}) == 100


async def _kept(made: Installation) -> dict[tuple[str, str], int]:
    collection = await made.documents.collection(COLLECTED)
    counts: Counter[tuple[str, str]] = Counter()
    for one in await collection.find({}):
        counts[str(one["kind"]), str(one["domain"])] += int(one["count"])
    return dict(counts)


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from mailstead.foundation.clock import SystemClock
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.reports.collector import ResultCollector
from support.reporting import checks

async def main():
    collector = ResultCollector(None, ReportsSettings(flush=3600.0), SystemClock(), Path(sys.argv[1]))
    for number in range(7):
        collector.dmarc(checks("author.test"), "192.0.2.1", "a@example.test", "none")
        collector.noted(TlsPolicy(domain=f"d{number}.test", host="mx"), "192.0.2.1", "success", "")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_process_that_is_killed_loses_no_result(tmp_path: Path) -> None:
    async with open_reporting(tmp_path) as reporting:
        folder = tmp_path / RESULTS
        command = [sys.executable, "-c", CHILD, str(folder), *sys.path]
        child = await asyncio.create_subprocess_exec(*command)
        assert await child.wait() == -signal.SIGKILL
        assert await _kept(reporting.made) == {}
        (left,) = folder.iterdir()
        with left.open("ab") as file:
            file.write(b"=0")  # a line that was cut off
        copy = left.read_bytes()
        await reporting.collector.recover()
        wanted = {("dmarc", "author.test"): 7} | {("tls", f"d{number}.test"): 1 for number in range(7)}
        assert await _kept(reporting.made) == wanted
        assert list(folder.iterdir()) == []
        left.write_bytes(copy)  # as after a crash between keeping and removing
        await reporting.collector.recover()
        assert await _kept(reporting.made) == wanted
        assert list(folder.iterdir()) == []


async def test_a_journal_belongs_to_the_process_that_writes_it(tmp_path: Path) -> None:
    async with open_reporting(tmp_path, flush=3600.0) as reporting:
        reporting.collector.dmarc(checks("author.test"), "192.0.2.1", "a@example.test", "none")
        other = ResultCollector(reporting.made.documents, reporting.settings, reporting.clock, tmp_path / RESULTS)
        await other.recover()
        assert await _kept(reporting.made) == {}
        await reporting.collector.flush()
        assert await _kept(reporting.made) == {("dmarc", "author.test"): 1}
        assert list((tmp_path / RESULTS).iterdir()) == []
        await other.close()


async def test_a_store_that_is_away_gets_everything_once_when_it_is_back(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, made = reporting.collector, reporting.made

    async def away(_: object) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr(made.documents, "collection", away)
    for _ in range(3):
        collector.dmarc(checks("author.test"), "192.0.2.1", "a@example.test", "none")
        await collector.flush()
    monkeypatch.undo()
    await collector.flush()
    assert await _kept(made) == {("dmarc", "author.test"): 3}


async def test_counting_goes_on_without_a_disk(tmp_path: Path) -> None:
    async with open_reporting(tmp_path) as reporting:
        (tmp_path / RESULTS).write_bytes(b"a file where the folder should be")
        for _ in range(2):
            reporting.collector.dmarc(checks("author.test"), "192.0.2.1", "a@example.test", "none")
        await reporting.collector.flush()
        assert await _kept(reporting.made) == {("dmarc", "author.test"): 2}


@pytest.mark.parametrize(
    "line", [b"", b"x", b"=", b"=7", b"=" + b"9" * 5000, b"[1,2]", b'["a","other","c","d"]', b"\xff"]
)
def test_damaged_lines_are_nothing(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "x.rows"
    good = b'["20261125","tls","a.test","{}"]\n'
    path.write_bytes(good + line + b"\n=0\n" + good[:10])
    (journal,) = left_journals(tmp_path)
    assert journal.counts() == {("20261125", "tls", "a.test", b"{}"): 2}
    journal.close()
