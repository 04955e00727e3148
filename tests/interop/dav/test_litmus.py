"""litmus, the WebDAV server test suite: every test of every set, without a failure or a warning."""

import os
import re
import subprocess
from pathlib import Path

from support.mailstead_server import MailsteadServer
from support.programs import require_program

SETS = ("basic", "copymove", "props", "locks", "http")


def test_litmus(server: MailsteadServer, login: tuple[str, str], tmp_path: Path) -> None:
    program = require_program("litmus")
    host, port = server.address("caldav")
    address, password = login
    done = subprocess.run(
        [program, "-k", f"http://{host}:{port}/dav/{address}/files/", address, password],
        env=os.environ | {"TESTS": " ".join(SETS)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    summaries = re.findall(r"<- summary for `(\w+)': of (\d+) tests run: (\d+) passed, (\d+) failed", done.stdout)
    assert [one[0] for one in summaries] == list(SETS), done.stdout
    assert all(run == passed and failed == "0" for _, run, passed, failed in summaries), done.stdout
    assert "WARNING" not in done.stdout, done.stdout
    assert sum(int(run) for _, run, _, _ in summaries) >= 100
