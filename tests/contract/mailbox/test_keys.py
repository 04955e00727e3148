"""Keys of mailboxes: slots, the keyring beside the file, recovery from it, and what zero-access hides."""

from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.opening import LockedMailboxError, opened_mailbox
from mailstead.administration.passwords import (
    add_password,
    add_recovery_code,
    lock_mailbox,
    remove_password,
    unlock_mailbox,
)
from mailstead.administration.recovery import recover_mailbox
from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Argon2Cost, Kind, rewrap, unwrap, wrap
from mailstead.foundation.errors import (
    AuthenticationError,
    InvalidError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
)
from mailstead.stores.directory.keyring import decode_keyring
from mailstead.stores.directory.records import Alias
from support.installation import Installation, installation

ALICE = "alice@example.test"
QUICK = Settings(login=LoginSettings(argon2_memory=64 * 1024, argon2_passes=1))
WORDS = (b"Penguins", b"marching", b"quietly")
MESSAGE = b"Subject: Penguins\r\n\r\nmarching quietly\r\n"


async def alias_of(made: Installation) -> Alias:
    found = await made.directory.find(Alias, domain="example.test", name="alice")
    assert found
    return found[0]


@pytest.mark.parametrize("kind", ["server", "app_password", "password", "recovery", "passkey"])
def test_a_slot_takes_another_key_and_the_same_credential_opens_it(kind: Kind) -> None:
    first, second = DataKey.generate(), DataKey.generate()
    slot = wrap(first, kind, b"secret", label="x", now=1.0, cost=Argon2Cost(64, 1))
    again = rewrap(rewrap(slot, first), second)
    assert (again.id, again.kind, again.label, again.exchange) == (slot.id, kind, "x", slot.exchange)
    assert unwrap(slot, b"secret").raw() == first.raw()
    assert unwrap(again, b"secret").raw() == second.raw()
    assert second.raw() not in again.wrapped
    for wrong in (slot, again):
        with pytest.raises(AuthenticationError):
            unwrap(wrong, b"Secret")


async def test_the_keyring_follows_every_change_of_slots(tmp_path: Path) -> None:
    async with installation(tmp_path, QUICK) as made:
        alias = await alias_of(made)
        path = made.mailboxes.directory(alias.mailbox_id) / "keyring.json"

        async def assert_equal(count: int) -> None:
            now = await alias_of(made)
            keyring = decode_keyring(path.read_bytes())
            assert (keyring.slots, keyring.public_key, keyring.address) == (now.slots, now.public_key, ALICE)
            assert len(now.slots) == count

        await assert_equal(2)
        assert path.stat().st_mode & 0o777 == 0o600
        await add_password(made.administration, COMMAND_LINE, ALICE, password=None, label="phone")
        await assert_equal(3)
        code = await add_recovery_code(made.administration, COMMAND_LINE, ALICE)
        assert [len(group) for group in code.split("-")] == [4] * 8
        await assert_equal(4)
        assert await add_recovery_code(made.administration, COMMAND_LINE, ALICE) != code
        await assert_equal(4)
        await remove_password(made.administration, COMMAND_LINE, ALICE, "phone")
        await assert_equal(3)
        await lock_mailbox(made.administration, COMMAND_LINE, ALICE)
        await assert_equal(2)
        await remove_password(made.administration, COMMAND_LINE, ALICE, "first password")
        with pytest.raises(PermanentError, match="last key"):
            await remove_password(made.administration, COMMAND_LINE, ALICE, "recovery code")
        await assert_equal(1)


async def test_a_lost_directory_is_rebuilt_from_keyrings(tmp_path: Path) -> None:
    async with installation(tmp_path, QUICK) as made:
        await made.deliver(ALICE, MESSAGE)
        before = await alias_of(made)
        with pytest.raises(PermanentError, match="--force"):
            await recover_mailbox(made.administration, COMMAND_LINE, ALICE)
        await made.directory.remove(before)
        with pytest.raises(NotFoundError):
            await recover_mailbox(made.administration, COMMAND_LINE, "nobody@example.test")
        with pytest.raises(PermissionDeniedError):
            await recover_mailbox(made.administration, Actor("eve", "user", "eve"), ALICE)
        after = await recover_mailbox(made.administration, COMMAND_LINE, ALICE)
        assert (after.mailbox_id, after.slots, after.public_key) == (before.mailbox_id, before.slots, before.public_key)
        account = await made.authenticator.authenticate(ALICE, made.passwords[ALICE], service="test", peer="::1")
        assert account.mailbox_id == before.mailbox_id
        assert (await made.messages(ALICE))[0].endswith(MESSAGE)
        again = await recover_mailbox(made.administration, COMMAND_LINE, ALICE, force=True)
        assert again.slots == before.slots


def plaintext(folder: Path) -> list[str]:
    """The files that hold any of the words."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes() for word in WORDS)]


async def test_nothing_of_a_locked_mailbox_can_be_read_at_rest(tmp_path: Path) -> None:
    async with installation(tmp_path, QUICK) as made:
        await made.deliver(ALICE, MESSAGE)
        mailbox = await made.mailbox(ALICE)
        while mailbox.index_pending():
            pass
        code = await add_recovery_code(made.administration, COMMAND_LINE, ALICE)
        await lock_mailbox(made.administration, COMMAND_LINE, ALICE)
        identifier = mailbox.id
        del mailbox
        made.mailboxes.forget(identifier)
        assert await made.directory.mailbox_key(identifier) is None
        await made.deliver(ALICE, MESSAGE)
        incoming = made.mailboxes.directory(identifier) / "incoming"
        assert len(list(incoming.glob("*.sealed"))) == 1
        assert plaintext(tmp_path) == []
        with pytest.raises(LockedMailboxError):
            async with opened_mailbox(made.administration, COMMAND_LINE, ALICE):
                pass
        with pytest.raises(AuthenticationError):
            async with opened_mailbox(made.administration, COMMAND_LINE, ALICE, "wrong"):
                pass
        async with opened_mailbox(made.administration, COMMAND_LINE, ALICE, code) as (_, opened):
            assert opened.usage().messages == 2
            assert plaintext(tmp_path) == []
        with pytest.raises(AuthenticationError):
            await unlock_mailbox(made.administration, COMMAND_LINE, ALICE, "wrong")
        await unlock_mailbox(made.administration, COMMAND_LINE, ALICE, made.passwords[ALICE])
        with pytest.raises(InvalidError):
            await unlock_mailbox(made.administration, COMMAND_LINE, ALICE, code)
        assert [raw.endswith(MESSAGE) for raw in await made.messages(ALICE)] == [True, True]
