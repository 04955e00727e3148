"""Shell blocks of Markdown files: those that a test runs (```sh run), and those that cannot be run, with the reason.

A block without `run` has a comment right before it: `<!-- not run: why -->`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"(?:<!-- not run: ([^\n]+) -->\n+)?^```sh( run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ShellBlock:
    """One block; `reason` says why it is not run, empty when it is."""

    path: Path
    line: int
    text: str
    runs: bool
    reason: str


def shell_blocks(path: Path) -> list[ShellBlock]:
    content = path.read_text("utf-8")
    return [
        ShellBlock(path, content.count("\n", 0, found.start(3)), found[3], found[2] is not None, found[1] or "")
        for found in _BLOCK.finditer(content)
    ]
