"""What a killed writer acknowledged is there, and the file is whole."""

import random
import subprocess
import sys
from pathlib import Path

import apsw

from mailstead.stores.documents.open import FILE_NAME, open_documents
from support import document_worker

_ROUNDS = 12


def write_until_killed(data: Path, lines: int) -> list[str]:
    """What a writer said before it was killed, which happens soon after so many `lines`."""
    command = [sys.executable, document_worker.__file__, "sqlite:", str(data), "write", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
        # The very last line may have been cut off; what stands whole in the pipe was said before the end.
        said += [line for line in writer.stdout if line.endswith("\n")]
    return said


async def test_kill_in_the_middle_of_writing(tmp_path: Path) -> None:
    chance = random.Random(5)
    for _ in range(_ROUNDS):
        said = write_until_killed(tmp_path, chance.randrange(1, 400))
        documents = open_documents("sqlite:", tmp_path)
        await documents.open()
        work = await documents.collection(document_worker.SPEC)
        for line in said:
            what, identifier = line.split()
            document = await work.get(identifier)
            assert document is not None, line
            assert what == "inserted" or document["version"] == 2, line
        assert await work.count({"tags": "seen"}) == await work.count({"state": "seen"})
        assert await work.count({"tags": "all"}) == await work.count({"state": None})
        await documents.close()
        connection = apsw.Connection(str(tmp_path / FILE_NAME))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
