"""Mail programs run against a server of this process."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from support.programs import require_program

_LONGEST = 60.0


async def run_program(
    name: str, *arguments: str | Path, given: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    """What `name` printed; fails the test with it when the program does not end with 0."""
    process = await asyncio.create_subprocess_exec(
        require_program(name),
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment) if environment is not None else None,
    )
    async with asyncio.timeout(_LONGEST):
        output, _ = await process.communicate(given)
    assert process.returncode == 0, output.decode("utf-8", "replace")
    return output
