"""The engines that the contract is tried on."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.documents.interface import Documents
from mailstead.stores.documents.open import open_documents
from support.mongod import mongod

SETTINGS = DocumentsSettings(expire_interval=0)
ENGINES = ("sqlite", "mongodb")
OpenStore = Callable[[], AbstractAsyncContextManager[Documents]]


@pytest.fixture(scope="session")
def mongod_url() -> Iterator[str]:
    with mongod() as url:
        yield url


@pytest.fixture(params=ENGINES)
def documents_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that has nothing in it yet."""
    if request.param == "sqlite":
        return "sqlite:"
    url: str = request.getfixturevalue("mongod_url")
    return url.replace("/?", f"/test_{new_ulid()}?")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_store(documents_url: str, tmp_path: Path, clock: ManualClock) -> OpenStore:
    """Opens the store once more, as another process would."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Documents]:
        documents = open_documents(documents_url, tmp_path / "data", SETTINGS, clock)
        await documents.open()
        try:
            yield documents
        finally:
            await documents.close()

    return opened


@pytest.fixture
async def documents(open_store: OpenStore) -> AsyncIterator[Documents]:
    async with open_store() as documents:
        yield documents
