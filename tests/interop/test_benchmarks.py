"""Every benchmark at tiny size, beside the peers that this machine has: it completes and finds figures; times mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cases.registry import CASES
from benchmarks.peers.install import peers_missing
from benchmarks.report import kept
from benchmarks.table import OWN

REPOSITORY = Path(__file__).parents[2]
PEERS = {
    "imap": {"Dovecot maildir", "Dovecot sdbox"},
    "pop3": {"Dovecot maildir", "Dovecot sdbox"},
    "smtp": {"Postfix + Dovecot LMTP"},
    "queue": {"Postfix"},
    "memory": {"Dovecot"},
    "calendars": {"Radicale", "Xandikos"},
    "disk": {"Maildir"},
}


@pytest.mark.parametrize("case", [case.name for case in CASES])
def test_case_completes_and_finds_figures(case: str, tmp_path: Path) -> None:
    folder = Path("/var/tmp")  # the peers' processes give up root: pytest's own folder is closed to them
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--results", str(tmp_path), "--folder", str(folder), case]
    environment = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "PYTHONPATH": f"{REPOSITORY}/script:{REPOSITORY}/tests"}
    ran = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    (result,) = kept(tmp_path, "tiny", [case])
    assert result.table.rows
    for row in result.table.rows:
        assert row.figures
        assert all(figures and all(figure > 0 for figure in figures) for figures in row.figures.values()), row
    contestants = set(result.table.columns)
    assert OWN in contestants or case == "growth"
    if case in PEERS and not peers_missing():
        assert contestants >= PEERS[case]
