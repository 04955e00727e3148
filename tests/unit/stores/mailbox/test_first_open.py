"""A new mailbox has its folders, whoever made the file and whatever stopped them."""

from pathlib import Path

import apsw
import pytest

from mailstead.stores.mailbox import handle
from mailstead.stores.mailbox.folders import create_folder
from support.installation import installation


class KilledError(Exception):
    """Stands for the end of the process."""


async def test_whoever_makes_the_folders_may_be_killed_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with installation(tmp_path) as made:
        kills = [True]

        def killed(connection: apsw.Connection, name: str, special_use: str = "") -> object:
            if kills:
                kills.pop()
                raise KilledError
            return create_folder(connection, name, special_use)

        monkeypatch.setattr(handle, "create_folder", killed)
        with pytest.raises(KilledError):
            await made.mailbox("alice@example.test")
        await made.deliver("alice@example.test", b"Subject: x\r\n\r\nx\r\n")
        assert len(await made.messages("alice@example.test")) == 1
