"""The images of an installation, built once for all tests of a run."""

from collections.abc import Iterator

import pytest

from support.container_engine import Engine, require_engine, running_engine
from support.container_images import Images, build_images


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Sizes of what was built."""
    require_engine()
    return build_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def engine(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that has the images, in a network of its own."""
    with running_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running
