"""Every IMAP transcript, against the handler without sockets and on real connections."""

from pathlib import Path

import pytest

from support.imap_transcript import run_transcript
from support.transcript import read_transcript

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))
RUNS = [
    pytest.param(path, to, id=f"{path.stem}-{to}")
    for path in TRANSCRIPTS
    for to in read_transcript(path).settings.get("only", ["session", "socket"])
]


@pytest.mark.parametrize(("path", "to"), RUNS)
async def test_transcript(path: Path, to: str, tmp_path: Path) -> None:
    await run_transcript(path, to, tmp_path)
