from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.reporting import Reporting, open_reporting


@pytest.fixture
async def reporting(tmp_path: Path) -> AsyncIterator[Reporting]:
    async with open_reporting(tmp_path) as opened:
        yield opened
