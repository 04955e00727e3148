"""Users, domains, aliases and passwords as people change them: rights, refusals, and the record of what was done."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mailstead.administration.actor import AUDIT, COMMAND_LINE, Actor
from mailstead.administration.aliases import (
    FORWARDS_LIMIT,
    UnknownNameError,
    add_alias,
    find_alias,
    list_aliases,
    remove_alias,
    set_alias,
)
from mailstead.administration.domains import add_domain, list_domains, mark_verified, remove_domain, set_owner
from mailstead.administration.opening import LockedMailboxError
from mailstead.administration.passwords import (
    SLOTS_LIMIT,
    add_password,
    add_recovery_code,
    lock_mailbox,
    remove_password,
    unlock_mailbox,
)
from mailstead.administration.slots import store_slots
from mailstead.administration.users import UserExistsError, add_user, find_user, list_users, remove_user, set_user
from mailstead.foundation.errors import (
    AlreadyExistsError,
    InvalidError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
)
from mailstead.stores.directory.records import ACCOUNT_LABEL
from support.installation import DOMAIN, Installation, installation

ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
OWNER = Actor("owner@example.test", "user", user_id="owner")
ALICE_ACTOR = Actor(ALICE, "user", user_id=f"user-{ALICE}")
STRANGER = Actor("eve@example.test", "user", user_id="eve")


async def actions(made: Installation, target: str) -> list[str]:
    audit = await made.documents.collection(AUDIT)
    return [str(entry["action"]) for entry in await audit.find({"target": target}, order=[("at", 1), ("id", 1)])]


async def test_aliases_are_their_owners_and_their_domains_owners_to_change(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        for actor in (COMMAND_LINE, OWNER, ALICE_ACTOR):
            assert (await find_alias(administration, actor, ALICE)).address == ALICE
        with pytest.raises(PermissionDeniedError):
            await find_alias(administration, STRANGER, ALICE)
        with pytest.raises(PermissionDeniedError):
            await find_alias(administration, ALICE_ACTOR, BOB)
        for actor in (STRANGER, ALICE_ACTOR):
            with pytest.raises(PermissionDeniedError):
                await add_alias(administration, actor, f"new@{DOMAIN}")
            with pytest.raises(PermissionDeniedError):
                await list_aliases(administration, actor, DOMAIN)
        with pytest.raises(PermissionDeniedError):
            await set_alias(administration, STRANGER, ALICE, {"enabled": False})
        with pytest.raises(PermissionDeniedError):
            await remove_alias(administration, STRANGER, ALICE)
        assert [one.address for one in await list_aliases(administration, OWNER, DOMAIN)] == [ALICE, BOB]
        assert [one.address for one in await list_aliases(administration, ALICE_ACTOR, None)] == [ALICE]
        assert await list_aliases(administration, STRANGER, None) == []
        assert await actions(made, ALICE) == ["alias.add"]


async def test_an_alias_is_added_changed_and_removed_on_record(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        alias, password = await add_alias(administration, OWNER, f"New@{DOMAIN}", forward_to=["Eve@Else.TEST"])
        assert (alias.address, alias.user_id, alias.forward_to) == (f"new@{DOMAIN}", "owner", ("eve@else.test",))
        assert password
        with pytest.raises(AlreadyExistsError):
            await add_alias(administration, OWNER, f"new@{DOMAIN}")
        forwarded, nothing = await add_alias(
            administration, OWNER, f"only@{DOMAIN}", forward_to=[ALICE], with_mailbox=False
        )
        assert (forwarded.mailbox_id, forwarded.slots, nothing) == ("", (), "")
        everybody, nothing = await add_alias(administration, OWNER, f"*@{DOMAIN}", forward_to=[ALICE])
        assert (everybody.mailbox_id, nothing) == ("", "")
        changed = await set_alias(administration, OWNER, alias.address, {"enabled": False, "quota": 7})
        assert (changed.enabled, changed.quota) == (False, 7)
        await remove_alias(administration, OWNER, alias.address)
        with pytest.raises(UnknownNameError):
            await find_alias(administration, OWNER, alias.address)
        assert await actions(made, alias.address) == ["alias.add", "alias.set", "alias.remove"]


async def test_aliases_that_lead_nowhere_or_to_too_many_are_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        many = [f"a{number}@else.test" for number in range(FORWARDS_LIMIT + 1)]
        for name, targets, with_mailbox in (("none", [], False), ("*", [], True), ("many", many, True)):
            with pytest.raises(InvalidError):
                await add_alias(
                    administration, OWNER, f"{name}@{DOMAIN}", forward_to=targets, with_mailbox=with_mailbox
                )
        with pytest.raises(InvalidError):
            await set_alias(administration, OWNER, ALICE, {"forward_to": many})
        most = await set_alias(administration, OWNER, ALICE, {"forward_to": many[:-1]})
        assert len(most.forward_to) == FORWARDS_LIMIT
        with pytest.raises(InvalidError):
            await find_alias(administration, OWNER, "no address")
        with pytest.raises(UnknownNameError):
            await add_alias(administration, COMMAND_LINE, "a@nowhere.test")


async def test_domains_are_for_admins_and_verified_by_their_owner(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        refused: list[Callable[[], Awaitable[object]]] = [
            lambda: add_domain(administration, OWNER, "new.test"),
            lambda: set_owner(administration, OWNER, DOMAIN, ALICE),
            lambda: remove_domain(administration, OWNER, DOMAIN, with_aliases=True),
            lambda: mark_verified(administration, STRANGER, DOMAIN),
        ]
        for action in refused:
            with pytest.raises(PermissionDeniedError):
                await action()
        assert (await mark_verified(administration, OWNER, DOMAIN)).verified_at is not None
        added = await add_domain(administration, COMMAND_LINE, "New.TEST", owner_id="eve")
        assert (added.id, [key.algorithm for key in added.dkim_keys]) == ("new.test", ["rsa-sha256", "ed25519-sha256"])
        with pytest.raises(AlreadyExistsError):
            await add_domain(administration, COMMAND_LINE, "new.test")
        assert [one.id for one in await list_domains(administration, STRANGER)] == ["new.test"]
        assert {one.id for one in await list_domains(administration, COMMAND_LINE)} == {DOMAIN, "new.test"}
        with pytest.raises(PermanentError, match="2 aliases"):
            await remove_domain(administration, COMMAND_LINE, DOMAIN, with_aliases=False)
        await remove_domain(administration, COMMAND_LINE, DOMAIN, with_aliases=True)
        assert await made.directory.alias(ALICE) is None
        with pytest.raises(UnknownNameError):
            await set_owner(administration, COMMAND_LINE, "new.test", "nobody@new.test")
        assert await actions(made, DOMAIN) == ["domain.verify", "domain.remove"]
        assert await actions(made, "new.test") == ["domain.add"]


async def test_users_are_for_admins_and_their_password_opens_their_mailbox(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        address = f"carol@{DOMAIN}"
        refused: list[Callable[[], Awaitable[object]]] = [
            lambda: add_user(administration, OWNER, address, password=None, is_admin=False),
            lambda: list_users(administration, OWNER),
            lambda: set_user(administration, OWNER, address, password="x", is_admin=None),
            lambda: remove_user(administration, OWNER, address),
        ]
        for action in refused:
            with pytest.raises(PermissionDeniedError):
                await action()
        user, password = await add_user(administration, COMMAND_LINE, address, password=None, is_admin=False)
        assert password
        alias = await find_alias(administration, COMMAND_LINE, address)
        assert (alias.user_id, [slot.label for slot in alias.slots]) == (user.id, ["server", ACCOUNT_LABEL])
        with pytest.raises(UserExistsError):
            await add_user(administration, COMMAND_LINE, address, password=None, is_admin=False)
        await set_user(administration, COMMAND_LINE, address, password="another one", is_admin=True)
        assert (await find_user(administration, address)).is_admin
        alias = await find_alias(administration, COMMAND_LINE, address)
        assert [slot.label for slot in alias.slots] == ["server", ACCOUNT_LABEL]
        with await administration.authenticator.open_slots(alias.slots, "another one"):
            pass
        await set_owner(administration, COMMAND_LINE, DOMAIN, address)
        with pytest.raises(PermanentError, match=r"owns example\.test"):
            await remove_user(administration, COMMAND_LINE, address)
        await add_user(administration, COMMAND_LINE, "dave@else.test", password="a long one", is_admin=False)
        assert await made.directory.alias("dave@else.test") is None
        await set_owner(administration, COMMAND_LINE, DOMAIN, "dave@else.test")
        await remove_user(administration, COMMAND_LINE, address)
        owner = await find_user(administration, "dave@else.test")
        assert (await find_alias(administration, COMMAND_LINE, address)).user_id == owner.id
        assert await actions(made, address) == ["user.add", "alias.add", "user.set", "user.remove"]


async def test_passwords_are_added_and_removed_on_record_and_the_reserved_name_is_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        with pytest.raises(InvalidError, match=ACCOUNT_LABEL):
            await add_password(administration, ALICE_ACTOR, ALICE, password=None, label=ACCOUNT_LABEL)
        with pytest.raises(PermissionDeniedError):
            await add_password(administration, STRANGER, ALICE, password=None, label="phone")
        with pytest.raises(PermissionDeniedError):
            await remove_password(administration, STRANGER, ALICE, "first password")
        alias, generated = await add_password(administration, ALICE_ACTOR, ALICE, password=None, label="phone")
        assert [slot.label for slot in alias.slots] == ["server", "first password", "phone"]
        with await administration.authenticator.open_slots(alias.slots, generated):
            pass
        await remove_password(administration, ALICE_ACTOR, ALICE, "phone")
        with pytest.raises(NotFoundError):
            await remove_password(administration, ALICE_ACTOR, ALICE, "phone")
        with pytest.raises(NotFoundError):
            await remove_password(administration, ALICE_ACTOR, ALICE, "server")
        assert await actions(made, ALICE) == ["alias.add", "password.add", "password.remove"]


async def test_no_more_passwords_than_the_limit(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        alias = await find_alias(administration, COMMAND_LINE, ALICE)
        for number in range(SLOTS_LIMIT - len(alias.slots)):
            await add_password(administration, COMMAND_LINE, ALICE, password=None, label=f"device {number}")
        with pytest.raises(InvalidError, match=str(SLOTS_LIMIT)):
            await add_password(administration, COMMAND_LINE, ALICE, password=None, label="one more")
        assert len((await find_alias(administration, COMMAND_LINE, ALICE)).slots) == SLOTS_LIMIT


async def test_a_locked_mailbox_opens_to_its_owner_alone_and_keeps_its_last_slot(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        with pytest.raises(PermanentError, match="recovery code first"):
            await lock_mailbox(administration, ALICE_ACTOR, ALICE)
        code = await add_recovery_code(administration, ALICE_ACTOR, ALICE)
        await lock_mailbox(administration, ALICE_ACTOR, ALICE)
        with pytest.raises(InvalidError):
            await lock_mailbox(administration, ALICE_ACTOR, ALICE)
        with pytest.raises(LockedMailboxError):
            await add_password(administration, COMMAND_LINE, ALICE, password=None, label="phone")
        await remove_password(administration, ALICE_ACTOR, ALICE, "recovery code")
        with pytest.raises(PermanentError):
            await remove_password(administration, ALICE_ACTOR, ALICE, "first password")
        alias = await find_alias(administration, ALICE_ACTOR, ALICE)
        assert [slot.label for slot in alias.slots] == ["first password"]
        with pytest.raises(PermanentError):
            await store_slots(administration, alias, ())
        with pytest.raises(PermanentError):
            await unlock_mailbox(administration, ALICE_ACTOR, ALICE, code)  # removed: it opens nothing
        await unlock_mailbox(administration, ALICE_ACTOR, ALICE, made.passwords[ALICE])
        alias = await find_alias(administration, ALICE_ACTOR, ALICE)
        assert [slot.label for slot in alias.slots] == ["server", "first password"]
        assert await actions(made, ALICE) == [
            "alias.add",
            "recovery-code.add",
            "mailbox.lock",
            "password.remove",
            "mailbox.unlock",
        ]
