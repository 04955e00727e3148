from pathlib import Path

import pytest

from support.command_line import CommandLine


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """An empty installation."""
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    return CommandLine(tmp_path / "data")


@pytest.fixture
def domain(line: CommandLine) -> CommandLine:
    """An installation with example.test and its administrator alice."""
    line.run("domain", "add", "example.test")
    line.run("user", "add", "alice@example.test", "--admin")
    return line
