"""Rotation of the data key: a crash at any step leaves one whole mailbox that every credential opens."""

import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.passwords import add_password, add_recovery_code, lock_mailbox
from mailstead.administration.rotation import rotate_key
from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import AuthenticationError
from mailstead.foundation.spool import Spool
from mailstead.stores.directory.keyring import encode_keyring, keyring_of
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.connection import open_any_cipher
from mailstead.stores.mailbox.errors import MailboxBusyError, WrongKeyError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.rotation import STEPS
from support import rotation_worker
from support.installation import Installation, installation

ALICE = "alice@example.test"
MESSAGE = b"Subject: kept\r\n\r\nthe plain words of this message\r\n"
QUICK = Settings(login=LoginSettings(argon2_memory=64 * 1024, argon2_passes=1))
ALL_STEPS = (*STEPS, "directory", "keyring", "finished")


async def alias_of(made: Installation) -> Alias:
    alias = await made.directory.alias(ALICE)
    assert alias is not None
    return alias


async def logged_in(made: Installation, password: str) -> Mailbox:
    account = await made.authenticator.authenticate(ALICE, password, service="test", peer="127.0.0.1")
    with account.key as key:
        return await made.mailboxes.open(account.mailbox_id, key)


def read(mailbox: Mailbox) -> list[bytes]:
    rows = mailbox.rows(mailbox.folder("INBOX").id, [(1, 2**32 - 1)], ("uid", "message_id"))
    return [mailbox.content(row[1]).read() for found in rows for row in found]


async def assert_whole(made: Installation, passwords: list[str], count: int) -> None:
    for password in passwords:
        mailbox = await logged_in(made, password)
        assert read(mailbox) == [MESSAGE] * count
        assert mailbox.check() == []
        made.mailboxes.forget(mailbox.id)


async def prepared(folder: Path) -> list[str]:
    """A mailbox with two messages and three credentials; the passwords."""
    async with installation(folder, QUICK) as made:
        for _ in range(2):
            await made.deliver(ALICE, MESSAGE)
        chosen = "a password of a person"
        await add_password(made.administration, COMMAND_LINE, ALICE, password=chosen, label="mine")
        _, generated = await add_password(made.administration, COMMAND_LINE, ALICE, password=None, label="app")
        return [made.passwords[ALICE], chosen, generated]


def rotate_and_die(folder: Path, step: str, current: str = "") -> int:
    command = [sys.executable, rotation_worker.__file__, str(folder), ALICE, step, current]
    return subprocess.run(command, check=False, timeout=120, env={"PYTHONPATH": "tests"}).returncode


@pytest.mark.parametrize("step", ALL_STEPS)
async def test_a_crash_at_any_step_leaves_one_whole_mailbox(step: str, tmp_path: Path) -> None:
    passwords = await prepared(tmp_path)
    async with installation(tmp_path, QUICK) as made:
        former = await made.directory.mailbox_key((await alias_of(made)).mailbox_id)
        assert former is not None
    assert rotate_and_die(tmp_path, step) == -signal.SIGKILL
    async with installation(tmp_path, QUICK) as made:
        await assert_whole(made, passwords, 2)
        await made.deliver(ALICE, MESSAGE)
        await assert_whole(made, passwords, 3)
        # the next change of slots finishes what was begun; then a whole rotation goes through
        await add_password(made.administration, COMMAND_LINE, ALICE, password="another one", label="more")
        await assert_whole(made, [*passwords, "another one"], 3)
        alias = await rotate_key(made.administration, COMMAND_LINE, ALICE)
        await assert_whole(made, [*passwords, "another one"], 3)
        folder = made.mailboxes.directory(alias.mailbox_id)
        assert sorted(path.name for path in folder.iterdir()) == ["keyring.json", "mailbox.db"]
        assert (folder / "keyring.json").read_bytes() == encode_keyring(keyring_of(await alias_of(made)))
        with pytest.raises(WrongKeyError):
            open_any_cipher(folder / "mailbox.db", former, "aegis", 1, apsw.Connection)


async def test_a_locked_mailbox_is_rotated_with_its_owners_credential(tmp_path: Path) -> None:
    passwords = await prepared(tmp_path)
    async with installation(tmp_path, QUICK) as made:
        code = await add_recovery_code(made.administration, COMMAND_LINE, ALICE)
        await lock_mailbox(made.administration, COMMAND_LINE, ALICE)
    for step in ("copied", "moved", "directory"):
        assert rotate_and_die(tmp_path, step, code) == -signal.SIGKILL
        async with installation(tmp_path, QUICK) as made:
            await assert_whole(made, passwords, 2)
    async with installation(tmp_path, QUICK) as made:
        with pytest.raises(AuthenticationError):
            await rotate_key(made.administration, COMMAND_LINE, ALICE, current="wrong")
        await rotate_key(made.administration, COMMAND_LINE, ALICE, current=passwords[1])
        await assert_whole(made, passwords, 2)
        alias = await alias_of(made)
        recovery = next(slot for slot in alias.slots if slot.kind == "recovery")
        unwrap(recovery, code.encode()).close()


@pytest.mark.parametrize("bus_url", ["unix:", "memory:"])
async def test_sessions_in_another_process_go_on_under_the_new_key(tmp_path: Path, bus_url: str) -> None:
    passwords = await prepared(tmp_path)
    async with (
        installation(tmp_path, QUICK, bus_url=bus_url) as first,
        installation(tmp_path, QUICK, bus_url=bus_url) as second,
    ):
        session = await logged_in(first, passwords[0])
        assert read(session) == [MESSAGE] * 2
        public_key = (await alias_of(second)).public_key
        await rotate_key(second.administration, COMMAND_LINE, ALICE)
        alias = await alias_of(second)
        assert alias.public_key != public_key
        # mail sealed by one who did not hear of it yet
        with Spool(1000, tmp_path) as spool:
            spool.append(MESSAGE)
            await second.mailboxes.deliver(alias.mailbox_id, None, public_key, spool)
        await second.deliver(ALICE, MESSAGE)
        if bus_url == "memory:":  # nobody told it: a new login brings the new key
            first.directory._forget()
            await logged_in(first, passwords[0])
        assert read(session) == [MESSAGE] * 4
        session.append(session.folder("INBOX").id, [])
        await first.deliver(ALICE, MESSAGE)
        await assert_whole(second, passwords, 5)


async def test_one_who_does_not_let_go_stops_the_rotation_and_nothing_else(tmp_path: Path) -> None:
    passwords = await prepared(tmp_path)
    async with installation(tmp_path, Settings(mailbox=MailboxSettings(let_go_timeout=0.3))) as made:
        session = await logged_in(made, passwords[0])
        rows = session.rows(session.folder("INBOX").id, [(1, 9)], ("uid",), 1)
        assert next(rows) == [(1,)]
        with pytest.raises(MailboxBusyError):
            await rotate_key(made.administration, COMMAND_LINE, ALICE)
        assert read(session) == [MESSAGE] * 2
        assert list(rows) == [[(2,)]]
        await rotate_key(made.administration, COMMAND_LINE, ALICE)
        await assert_whole(made, passwords, 2)
