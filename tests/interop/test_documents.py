"""Every command that the documents show runs against a demo server, or says why it cannot."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fenced import ShellBlock, shell_blocks
from support.mailstead_server import MailsteadServer, mailstead_server

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [block for path in DOCUMENTS for block in shell_blocks(path)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    with mailstead_server(tmp_path_factory.mktemp("documents")) as serving:
        yield serving


def test_every_block_runs_or_says_why_not() -> None:
    for path in DOCUMENTS:
        assert path.read_text("utf-8").count("```sh") == len(shell_blocks(path)), path
    for block in BLOCKS:
        assert block.runs != bool(block.reason), f"{block.path}:{block.line}"


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.runs], ids=lambda block: f"{block.path.name}:{block.line}"
)
def test_commands_of_the_documents(block: ShellBlock, server: MailsteadServer) -> None:
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
