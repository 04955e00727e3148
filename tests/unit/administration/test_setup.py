"""The first administrator's link: good until all is done, whatever ends the making of it."""

from pathlib import Path
from typing import Any

import pytest

from mailstead.administration import setup, users
from mailstead.administration.actor import COMMAND_LINE, Administration
from mailstead.administration.setup import LINKS, LinkInUseError, LinkUsedError, new_setup_token, set_up
from mailstead.administration.users import UserExistsError, add_user
from mailstead.foundation.clock import ManualClock
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import User
from support.installation import installation

DOMAIN, PASSWORD = "new.test", "correct horse battery"


class Killed(BaseException):
    """The process ends here."""


async def killed(*_: Any, **__: Any) -> Any:
    raise Killed


def kill_at(step: str, patched: pytest.MonkeyPatch) -> None:
    """Let the process end where that step begins."""
    if step == "domain":
        patched.setattr(setup, "add_domain", killed)
    elif step == "user":
        patched.setattr(setup, "add_user", killed)
    elif step == "mailbox":
        patched.setattr(users, "add_alias", killed)
    else:
        patched.setattr(Directory, "replace", killed)  # the domain's owner


async def hold(administration: Administration, until: float) -> None:
    """As a process leaves it that was killed outright."""
    (link,) = await (links := await administration.documents.collection(LINKS)).find({})
    await links.claim({"id": link["id"]}, {"held_until": until})


@pytest.mark.parametrize("step", ["domain", "user", "mailbox", "owner"])
async def test_what_was_cut_off_is_finished_by_the_same_link(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(1_800_000_000.0)
    async with installation(tmp_path, clock=clock) as made:
        administration = made.administration
        token = await new_setup_token(administration)
        assert token is not None
        with monkeypatch.context() as patched:
            kill_at(step, patched)
            with pytest.raises(Killed):
                await set_up(administration, token, domain=DOMAIN, name="admin", password="another password")
        await hold(administration, clock.now() + 60)
        with pytest.raises(LinkInUseError):
            await set_up(administration, token, domain=DOMAIN, name="admin", password=PASSWORD)
        clock.advance(61)
        domain = await set_up(administration, token, domain=DOMAIN, name="admin", password=PASSWORD)
        (user,) = await made.directory.find(User, address=f"admin@{DOMAIN}")
        assert (user.is_admin, domain.owner_id) == (True, user.id)
        alias = await made.directory.alias(f"admin@{DOMAIN}")
        assert alias is not None
        (await made.authenticator.open_slots(alias.slots, PASSWORD)).close()
        with pytest.raises(LinkUsedError):
            await set_up(administration, token, domain=DOMAIN, name="again", password=PASSWORD)
        assert await new_setup_token(administration) is None


async def test_the_link_takes_nobody_elses_account(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        administration = made.administration
        token = await new_setup_token(administration)
        assert token is not None
        await add_user(administration, COMMAND_LINE, "admin@example.test", password=PASSWORD, is_admin=False)
        for _ in range(2):
            with pytest.raises(UserExistsError):
                await set_up(administration, token, domain="example.test", name="admin", password="another password")
        await set_up(administration, token, domain="example.test", name="owner", password=PASSWORD)
