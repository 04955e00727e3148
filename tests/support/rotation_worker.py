"""A process that rotates a mailbox's key and dies at a step of it; run as a program.

`rotation_worker.py FOLDER ADDRESS STEP [CREDENTIAL]`: kill -9 of itself when STEP is reached; STEP `none`: to the end.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.rotation import rotate_key
from support.installation import installation


async def main(folder: str, address: str, step: str, current: str = "") -> None:
    """Rotate, or die on the way."""

    def reached(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    async with installation(Path(folder)) as made:
        await rotate_key(made.administration, COMMAND_LINE, address, current=current or None, reached=reached)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
