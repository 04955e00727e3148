"""`mailstead` in this process: what people type, what is printed, how it ends."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from mailstead.cli.application import application


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """Commands on one data folder; nothing serves."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: str = "") -> Ended:
        """One command."""
        environment = {"MAILSTEAD_DATA": str(self.data), "MAILSTEAD_HOSTNAME": "mail.example.test"} | self.settings
        result = CliRunner().invoke(application, arguments, input=given, env=environment, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str, given: str = "") -> Any:
        """What a command that succeeds prints with `--json`."""
        ended = self.run(*arguments, "--json", given=given)
        assert ended.code == 0, ended
        return json.loads(ended.out)

    def refused(self, *arguments: str, code: int = 1, given: str = "") -> str:
        """The one line on standard error of a command that fails."""
        ended = self.run(*arguments, given=given)
        assert (ended.code, ended.out) == (code, ""), ended
        (line,) = ended.err.splitlines()
        return line
