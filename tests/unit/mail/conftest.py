"""The engines that the queue is tried on."""

from collections.abc import Iterator

import pytest

from mailstead.foundation.identifiers import new_ulid
from support.mongod import mongod


@pytest.fixture(scope="session")
def mongod_url() -> Iterator[str]:
    with mongod() as url:
        yield url


@pytest.fixture(params=("sqlite", "mongodb"))
def documents_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that has nothing in it yet."""
    if request.param == "sqlite":
        return "sqlite:"
    url: str = request.getfixturevalue("mongod_url")
    return url.replace("/?", f"/test_{new_ulid()}?")
