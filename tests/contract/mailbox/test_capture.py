"""Copies of a mailbox's file while it is written to: each is whole, of one moment, and has all that was durable before."""

import os
import subprocess
import sys
from pathlib import Path

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.capture import capture_closed
from mailstead.stores.mailbox.files import FILE
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes

KEY = bytes(range(32))
ID = "m1"
COPIES = 12
# another process: it appends, and says after each durable transaction how many there are
WRITER = """
import asyncio, sys
from pathlib import Path
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes

async def main() -> None:
    async with open_mailboxes(Path(sys.argv[1])) as mailboxes:
        mailbox = await mailboxes.open("m1", DataKey(bytes(range(32))))
        inbox = mailbox.folder("INBOX").id
        for number in range(1, 100_000):
            mailbox.append(inbox, [NewMessage(b"Subject: %d\\r\\n\\r\\n%s\\r\\n" % (number, b"x" * 2000), 0, "", 1)])
            print(number, flush=True)

asyncio.run(main())
"""


def count(mailbox: Mailbox) -> int:
    return mailbox.usage().messages


async def copied(target: Path) -> int:
    """How many messages a copy has, after a look at all of it."""
    async with open_mailboxes(target) as mailboxes:
        mailbox = await mailboxes.open(ID, DataKey(KEY))
        assert mailbox.check() == []
        subjects = [
            row[1]
            for rows in mailbox.rows(mailbox.folder("INBOX").id, [(1, 2**31)], ("uid", "preview"))
            for row in rows
        ]
        assert len(subjects) == count(mailbox)
        return count(mailbox)


async def test_copies_while_another_process_writes(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path / "live") as mailboxes:
        mailbox = await mailboxes.open(ID, DataKey(KEY))
        count(mailbox)
        command = [sys.executable, "-c", WRITER, str(tmp_path / "live")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:  # noqa: ASYNC220 starting is quick
            assert writer.stdout is not None
            try:
                for number in range(COPIES):
                    writer.stdout.readline()
                    acknowledged = count(mailbox)
                    target = mailboxes_folder(tmp_path / f"copy{number}")
                    await mailboxes.run(mailbox.capture, target)
                    assert not (target / f"{FILE}-wal").exists()
                    assert acknowledged <= await copied(tmp_path / f"copy{number}") <= count(mailbox)
            finally:
                writer.kill()


def mailboxes_folder(root: Path) -> Path:
    return root / ID[-2:] / ID


async def test_a_copy_without_the_key_has_the_log_too(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path / "live") as mailboxes:
        mailbox = await mailboxes.open(ID, DataKey(KEY))
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(b"Subject: a\r\n\r\nb\r\n", 0, "", 1)])
        del mailbox
        target = mailboxes_folder(tmp_path / "copy")

        async def ask() -> None:
            mailboxes.let_go(ID)

        async with mailboxes.alone(ID, ask) as folder:
            capture_closed(folder, target)
        assert await copied(tmp_path / "copy") == 1


async def test_what_did_not_change_is_the_same_octets(tmp_path: Path) -> None:
    """So that a backup of a large mailbox with one new message is small."""
    async with open_mailboxes(tmp_path / "live") as mailboxes:
        mailbox = await mailboxes.open(ID, DataKey(KEY))
        inbox = mailbox.folder("INBOX").id
        mailbox.append(
            inbox, [NewMessage(b"Subject: a\r\n\r\n" + os.urandom(1500).hex().encode(), 0, "", 1) for _ in range(200)]
        )
        first, second = tmp_path / "1", tmp_path / "2"
        await mailboxes.run(mailbox.capture, first)
        mailbox.append(inbox, [NewMessage(b"Subject: b\r\n\r\nc\r\n", 0, "", 1)])
        await mailboxes.run(mailbox.capture, second)
    before, after = (first / FILE).read_bytes(), (second / FILE).read_bytes()
    same = sum(before[start : start + 4096] == after[start : start + 4096] for start in range(0, len(before), 4096))
    assert same > len(before) / 4096 * 0.8
