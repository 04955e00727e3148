"""Every test runs its loop on uvloop, as the server does; in CI a skipped test is a failure.

At the end of a run of several directories the time of each is told, summed over all processes.
"""

import os
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("skipped tests are failures where CI=true", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_SHOWN_PARTS = 3  # tests/unit/stores


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: dict[str, float] = {}
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = "/".join(PurePosixPath(report.nodeid.partition("::")[0]).parent.parts[:_SHOWN_PARTS])
                seconds[folder] = seconds.get(folder, 0.0) + report.duration
                tests[folder] += report.when == "call"
    if len(seconds) > 1:
        terminalreporter.section("time by directory")
        for folder, spent in sorted(seconds.items(), key=lambda pair: -pair[1]):
            terminalreporter.write_line(f"{spent:8.1f} s  {tests[folder]:5}  {folder}")
