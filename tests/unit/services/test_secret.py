"""The data folder and the server secret."""

import os
import tempfile
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.services.secret import DataFolderError, data_directory, server_secret

NOBODY = 65534


def settings(data: Path, secret: str = "") -> Settings:
    return Settings(server=ServerSettings(data=str(data), secret=secret))


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert data_directory(settings(tmp_path / "a" / "b")).stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        data.chmod(0o500)
        is_root = os.geteuid() == 0
        if is_root:  # who may write everywhere
            os.seteuid(NOBODY)
        try:
            with pytest.raises(DataFolderError, match="is not this user's to read and write"):
                data_directory(settings(data))
        finally:
            if is_root:
                os.seteuid(0)


def test_the_secret_is_made_once_and_the_given_one_wins(tmp_path: Path) -> None:
    made = server_secret(settings(tmp_path))
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert server_secret(settings(tmp_path)) == made
    assert server_secret(settings(tmp_path, "given")) == b"given"
