"""What people bring back from backups by themselves: what they may see of one, and what comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.aliases import add_alias, find_alias, remove_alias
from mailstead.administration.backup.backups import BackupBusyError, Backups
from mailstead.administration.backup.retrieval import look, retrieve, snapshots
from mailstead.administration.opening import LockedMailboxError
from mailstead.administration.passwords import add_recovery_code, lock_mailbox
from mailstead.foundation.config.sections.backup import BackupSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import InvalidError, PermissionDeniedError
from mailstead.stores.mailbox.records import NewMessage
from support.installation import Installation, installation
from support.programs import require_program

ALICE = "alice@example.test"


def message(subject: str) -> bytes:
    return f"From: Fay <fay@far.test>\r\nSubject: {subject}\r\n\r\n{subject} \xe9\r\n".encode("latin-1")


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[tuple[Installation, Backups, Actor, DataKey]]:
    """Alice's mailbox with four messages in two folders, in a backup; then three of them gone."""
    require_program("restic")
    settings = Settings(backup=BackupSettings(repository=str(folder / "repository"), folder=str(folder / "aside")))
    async with installation(folder / "data", settings) as made:
        administration = made.administration
        alias = await find_alias(administration, COMMAND_LINE, ALICE)
        key = unwrap(next(slot for slot in alias.slots if slot.kind == "server"), made.directory.server_key)
        mailbox = await made.mailboxes.open(alias.mailbox_id, key)
        inbox, plans = mailbox.folder("INBOX").id, mailbox.create_folder("Plans").id
        for number, subject in enumerate(("first", "second", "kept"), 1):
            mailbox.append(inbox, [NewMessage(message(subject), internal_date=1000 * number)])
        mailbox.append(plans, [NewMessage(message("Third"), internal_date=3000)])
        backups = Backups(administration, made.folder, "mail.example.test", {})
        await backups.run(COMMAND_LINE)
        mailbox.remove(inbox, [1, 2])
        mailbox.remove(plans, [1])
        yield made, backups, Actor(ALICE, "user", alias.user_id), key


async def test_what_people_bring_back_by_themselves(tmp_path: Path) -> None:
    async with house(tmp_path) as (made, backups, alice, key):
        administration = made.administration
        (listed,) = await snapshots(backups, alice, ALICE)
        there = await look(backups, alice, ALICE, snapshot=listed.id, most=2, current=key)
        assert [(one.subject, one.folder, one.date) for one in there.messages] == [
            ("Third", "Plans", 3000),
            ("second", "INBOX", 2000),
        ]
        assert there.lost == 3
        assert there.messages[0].sender == "Fay <fay@far.test>"
        assert {(one.name, one.messages, one.lost) for one in there.folders if one.messages} == {
            ("INBOX", 3, 2),
            ("Plans", 1, 1),
        }
        before = await made.messages(ALICE)
        done = await retrieve(backups, alice, ALICE, messages=[there.messages[1].id], current=key)
        assert (done.taken, done.there) == (1, 0)
        assert [one for one in await made.messages(ALICE) if one not in before] == [message("second")]

        # nobody else, and nothing is read without the key
        stranger = Actor("bob@example.test", "user", "somebody")
        for call in (snapshots(backups, stranger, ALICE), retrieve(backups, stranger, ALICE)):
            with pytest.raises(PermissionDeniedError):
                await call
        with pytest.raises(PermissionDeniedError):
            await look(backups, alice, ALICE)
        with backups._alone(), pytest.raises(BackupBusyError):
            await look(backups, alice, ALICE, current=key)

        # a mailbox that was locked since is opened by its key alone
        await add_recovery_code(administration, COMMAND_LINE, ALICE)
        await lock_mailbox(administration, COMMAND_LINE, ALICE)
        with pytest.raises(LockedMailboxError):
            await retrieve(backups, alice, ALICE)
        assert (await retrieve(backups, alice, ALICE, folder="Plans", current=key)).taken == 1

        # who got the address later does not get the mail of who had it
        await remove_alias(administration, COMMAND_LINE, ALICE)
        await add_alias(administration, COMMAND_LINE, ALICE, user_id=alice.user_id)
        assert await snapshots(backups, alice, ALICE) == []
        with pytest.raises(InvalidError, match="had no mailbox"):
            await retrieve(backups, alice, ALICE)
