"""A server with two accounts for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.settings import Settings
from support.dav import DavClient, DavHouse, dav_house


@pytest.fixture
def settings() -> Settings:
    return Settings(dav=DavSettings(files=True))


@pytest.fixture
async def house(tmp_path: Path, settings: Settings) -> AsyncIterator[DavHouse]:
    async with dav_house(tmp_path, settings) as found:
        yield found


@pytest.fixture
def alice(house: DavHouse) -> DavClient:
    return house.client()


@pytest.fixture
def bob(house: DavHouse) -> DavClient:
    return house.client("bob@example.test")
