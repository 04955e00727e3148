"""Every released schema is brought to the present one, whole, and a crash in between leaves a whole version."""

import json
import shutil
from pathlib import Path

import apsw
import pytest

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.connection import open_connection, select
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.schema import MIGRATIONS, VERSION, schema_version
from mailstead.stores.mailbox.search import criteria
from support.mailbox_fixture import FIXTURES, KEY, contents
from support.mailbox_store import open_mailboxes

VERSIONS = sorted(int(path.stem.removeprefix("v")) for path in FIXTURES.glob("v*.db"))


def test_there_is_a_fixture_of_every_version() -> None:
    assert list(range(1, VERSION + 1)) == VERSIONS, "run tests/support/mailbox_fixture.py before adding a migration"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_mailbox_of_every_version_is_read_and_written(version: int, tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        folder = mailboxes.directory("m1")
        folder.mkdir(parents=True)
        shutil.copy(FIXTURES / f"v{version}.db", folder / "mailbox.db")
        mailbox = await mailboxes.open("m1", DataKey(KEY))
        assert contents(mailbox) == json.loads((FIXTURES / f"v{version}.json").read_text())
        assert mailbox.check() == []
        inbox = mailbox.folder("INBOX").id
        assert len(mailbox.search(inbox, criteria.Text("late"))) == 1
        assert mailbox.undelete(0) == 1
        (appended,) = mailbox.append(inbox, [NewMessage(b"Subject: new\r\n\r\n")])
        assert appended.uid == mailbox.folder("INBOX").uidnext - 1
        assert mailbox.check() == []


@pytest.mark.parametrize("version", range(VERSION))
async def test_a_migration_that_fails_in_its_middle_leaves_the_version_before(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mailbox.db"
    if version:
        shutil.copy(FIXTURES / f"v{version}.db", path)
    broken = (*MIGRATIONS[:version], MIGRATIONS[version] + "; INSERT INTO no_such_table VALUES (1)")
    monkeypatch.setattr("mailstead.stores.mailbox.schema.MIGRATIONS", broken)
    monkeypatch.setattr("mailstead.stores.mailbox.schema.VERSION", version + 1)
    from mailstead.stores.mailbox.schema import migrate

    connection = open_connection(path, DataKey(KEY), "aegis", 1, apsw.Connection)
    before = select(connection, "SELECT sql FROM sqlite_schema ORDER BY name")
    with pytest.raises(apsw.SQLError):
        migrate(connection)
    assert schema_version(connection) == version
    assert select(connection, "SELECT sql FROM sqlite_schema ORDER BY name") == before
    assert select(connection, "PRAGMA integrity_check") == [("ok",)]
    connection.close()
