"""Messages that were put off: out of the way, back on top, unread."""

from pathlib import Path

import apsw

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.connection import open_connection, select
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.schema import migrate
from mailstead.stores.mailbox.threads import WHOLE_THREAD
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))
SOON, LATER = 1_000_000, 2_000_000


def message(number: int, answers: int = 0) -> NewMessage:
    head = f"From: a@b.test\r\nSubject: {'Re: ' if answers else ''}s\r\nMessage-ID: <{number}@b.test>\r\n"
    head += f"In-Reply-To: <{answers}@b.test>\r\n" if answers else ""
    return NewMessage(f"{head}\r\n{number}\r\n".encode(), Flag.SEEN)


def places(mailbox: Mailbox) -> dict[str, list[tuple[int, bool]]]:
    """Uid and whether it was read, of each folder that has any."""
    found = {folder.name: mailbox.entries(folder.id) for folder in mailbox.folders()}
    return {name: [(uid, bool(flags & Flag.SEEN)) for uid, flags, *_ in rows] for name, rows in found.items() if rows}


async def test_what_was_put_off_comes_back_on_top_and_unread(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [message(1), message(2, answers=1), message(3), message(4)])
        folder, copied = mailbox.snoozed.snooze(inbox, [1, 2], SOON)
        mailbox.snoozed.snooze(inbox, [3], LATER)
        assert (folder.name, folder.special_use, copied.pairs) == ("Snoozed", "\\Snoozed", [(1, 1), (2, 2)])
        assert places(mailbox) == {"INBOX": [(4, True)], "Snoozed": [(1, True), (2, True), (3, True)]}
        assert mailbox.snoozed.next_wake() == SOON
        assert mailbox.snoozed.wake(SOON - 1) == 0
        assert mailbox.snoozed.wake(SOON) == 2
        assert places(mailbox) == {"INBOX": [(4, True), (5, True), (6, False)], "Snoozed": [(3, True)]}
        assert [(one.uid, one.wake_at) for one in mailbox.snoozed.asleep()] == [(3, LATER)]
        assert mailbox.check() == []


async def test_it_survives_a_restart_and_wakes_with_whoever_opens_the_mailbox(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [message(1)])
        mailbox.snoozed.snooze(inbox, [1], SOON)  # long ago by the clock of the store
    async with open_mailboxes(tmp_path) as mailboxes:
        assert places(await mailboxes.open("m1", KEY)) == {"INBOX": [(2, False)]}


async def test_a_time_is_changed_and_a_folder_that_is_gone_is_no_trap(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        lists = mailbox.create_folder("Lists").id
        mailbox.append(lists, [message(1)])
        folder, _ = mailbox.snoozed.snooze(lists, [1], SOON)
        mailbox.snoozed.snooze(folder.id, [1], LATER)
        assert [(one.back_to, one.wake_at) for one in mailbox.snoozed.asleep()] == [(lists, LATER)]
        mailbox.delete_folder("Lists")
        assert mailbox.snoozed.wake(LATER) == 1
        assert places(mailbox) == {"INBOX": [(1, False)]}


async def test_what_a_mail_program_takes_out_is_awake_and_what_it_puts_in_stays(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [message(1), message(2)])
        folder, _ = mailbox.snoozed.snooze(inbox, [1], SOON)
        mailbox.move(folder.id, [(1, 1)], inbox)
        mailbox.move(inbox, [(2, 2)], folder.id)
        assert mailbox.snoozed.wake(LATER) == 0
        assert mailbox.snoozed.next_wake() is None
        assert places(mailbox) == {"INBOX": [(3, True)], "Snoozed": [(2, True)]}


def test_a_thread_is_found_by_its_index_and_not_by_the_folder(tmp_path: Path) -> None:
    connection = open_connection(tmp_path / "mailbox.db", KEY, "aegis", 1, apsw.Connection)
    migrate(connection)
    plan = [row[3] for row in select(connection, f"EXPLAIN QUERY PLAN {WHOLE_THREAD}", (1, 1))]
    assert [step.partition(" USING ")[2].partition(" (")[0] for step in plan] == [
        "PRIMARY KEY",
        "INTEGER PRIMARY KEY",
        "COVERING INDEX message_thread",
        "COVERING INDEX entry_message",
    ], plan
    connection.close()
