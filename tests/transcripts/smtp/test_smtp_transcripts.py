"""Every SMTP transcript, against the session alone and against a real listener."""

from pathlib import Path

import pytest

from support.smtp_transcript import run_transcript

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("to", ["session", "socket"])
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_transcript(path: Path, to: str, tmp_path: Path) -> None:
    await run_transcript(path, to, tmp_path, "mx")
