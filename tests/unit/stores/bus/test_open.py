"""URLs of the bus."""

from pathlib import Path

import pytest

from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.open import open_bus


@pytest.mark.parametrize("url", ["", "kafka://x", "redis:", "redis:///", "http://x"])
def test_refuses_other_urls(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidError):
        open_bus(url, tmp_path)


async def test_the_password_is_not_in_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bus = open_bus("redis://user:hunter2@127.0.0.1:1/0", tmp_path)
    await bus.open()
    await bus.close()
    assert "hunter2" not in "".join(capsys.readouterr())
