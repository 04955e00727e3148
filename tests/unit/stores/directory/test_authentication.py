"""Logins: which passwords open what, what a refused one costs, and what many of them lead to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.passwords import add_password, remove_password, set_account_password
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Slot, unwrap
from mailstead.foundation.errors import AuthenticationError
from mailstead.stores.directory import authentication
from mailstead.stores.directory.authentication import TooManyFailuresError
from support.installation import Installation, installation

ALICE = "alice@example.test"
OWN = "correct horse battery"
LOGIN = LoginSettings(argon2_memory=64 * 1024, argon2_passes=1, failures_per_account=3, failures_per_address=5)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def made(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Installation]:
    async with installation(tmp_path, Settings(login=LOGIN), clock) as made:
        yield made


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the slots that were tried."""
    tried: list[str] = []

    def counted(slot: Slot, secret: bytes) -> DataKey:
        tried.append(slot.kind)
        return unwrap(slot, secret)

    monkeypatch.setattr(authentication, "unwrap", counted)
    return tried


async def log_in(made: Installation, login: str, password: str, peer: str = "192.0.2.1") -> str:
    account = await made.authenticator.authenticate(login, password, service="imap", peer=peer)
    account.key.close()
    return account.address


async def refused(made: Installation, login: str, password: str, peer: str = "192.0.2.1") -> None:
    with pytest.raises(AuthenticationError):
        await log_in(made, login, password, peer)


async def test_a_full_address_in_any_form_and_any_of_its_passwords_open_the_account(made: Installation) -> None:
    alias = await made.directory.alias(ALICE)
    assert alias is not None
    await set_account_password(made.administration, alias, OWN)
    for password in (made.passwords[ALICE], OWN):
        for login in (ALICE, "ALICE@Example.test", "alice+tag@example.test", f" {ALICE} "):
            assert await log_in(made, login, password) == ALICE
    await refused(made, "bob@example.test", OWN)
    await refused(made, "bob@example.test", made.passwords[ALICE], peer="192.0.2.2")


async def test_a_password_that_was_removed_is_refused_though_it_was_remembered(made: Installation) -> None:
    _, password = await add_password(made.administration, COMMAND_LINE, ALICE, password=None, label="phone")
    assert await log_in(made, ALICE, password) == ALICE
    alias = await made.directory.alias(ALICE)
    assert alias is not None
    slot = next(slot for slot in alias.slots if slot.label == "phone")
    await remove_password(made.administration, COMMAND_LINE, ALICE, slot.id)
    await refused(made, ALICE, password)
    assert await log_in(made, ALICE, made.passwords[ALICE]) == ALICE
    await made.disable(ALICE, 550)
    await refused(made, ALICE, made.passwords[ALICE])


async def test_a_verified_login_is_remembered_for_some_minutes(
    made: Installation, clock: ManualClock, derivations: list[str]
) -> None:
    for _ in range(3):
        await log_in(made, ALICE, made.passwords[ALICE])
    assert derivations == ["app_password"]
    clock.advance(LOGIN.cache + 1)
    await log_in(made, ALICE, made.passwords[ALICE])
    assert derivations == ["app_password"] * 2


async def test_a_refusal_costs_the_same_whether_the_account_exists_or_not(
    made: Installation, derivations: list[str]
) -> None:
    alias = await made.directory.alias(ALICE)
    assert alias is not None
    await set_account_password(made.administration, alias, OWN)
    costs = []
    logins = (ALICE, "bob@example.test", "nobody@example.test", "x@elsewhere.test", "no address", "")
    for number, login in enumerate(logins):
        derivations.clear()
        await refused(made, login, "wrong password", peer=f"192.0.{number}.1")
        costs.append(list(derivations))
    assert costs == [["password"]] * len(logins)  # one slow derivation each
    for number, password in enumerate(("", "x" * 1025)):
        derivations.clear()
        await refused(made, ALICE, password, peer=f"192.1.{number}.1")
        assert derivations == []


async def test_many_failures_close_the_door_for_a_while_and_for_that_peer_alone(
    made: Installation, clock: ManualClock
) -> None:
    for _ in range(LOGIN.failures_per_account):
        await refused(made, ALICE, "wrong password")
    with pytest.raises(TooManyFailuresError):
        await log_in(made, ALICE, made.passwords[ALICE])
    assert await log_in(made, ALICE, made.passwords[ALICE], peer="198.51.100.1") == ALICE
    for name in ("x", "y"):
        await refused(made, f"{name}@example.test", "wrong password")
    with pytest.raises(TooManyFailuresError):  # one peer tries account after account
        await log_in(made, "bob@example.test", made.passwords["bob@example.test"])
