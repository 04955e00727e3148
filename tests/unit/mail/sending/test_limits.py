from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.sending import list_use, set_account_limit, set_domain_limit
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.mail.sending.limits import SendingLimitError, SendingLimits
from mailstead.stores.bus.memory import MemoryBus
from support.installation import Installation, installation

ALICE = "alice@example.test"
DAY = 1_800_000_000 - 1_800_000_000 % 86400


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path, clock=ManualClock(DAY + 3600.0)) as running:
        yield running


def limits_of(made: Installation, settings: SendingSettings, bus: MemoryBus | None = None) -> SendingLimits:
    return SendingLimits(made.directory, made.documents, bus or made.bus, settings, made.clock)


async def test_a_message_over_the_limit_counts_for_nobody_and_the_next_day_is_new(made: Installation) -> None:
    limits = limits_of(made, SendingSettings(account_daily=3, domain_daily=4))
    await limits.charge(ALICE, "example.test", 3)
    with pytest.raises(
        SendingLimitError, match=r"alice@example\.test may send to 3 recipients elsewhere a day and has 0"
    ):
        await limits.charge(ALICE, "example.test", 1)
    with pytest.raises(SendingLimitError, match=r"example\.test may send to 4 .* has 1 left"):
        await limits.charge("bob@example.test", "example.test", 2)
    assert [(use.name, use.sent, use.limit) for use in await limits.use("bob@example.test", "example.test")] == [
        ("bob@example.test", 0, 3),
        ("example.test", 3, 4),
    ]
    assert isinstance(made.clock, ManualClock)
    made.clock.advance(86400)
    await limits.charge(ALICE, "example.test", 3)


async def test_a_bus_that_forgot_goes_on_from_what_was_kept(made: Installation) -> None:
    settings = SendingSettings(account_daily=3)
    await limits_of(made, settings).charge(ALICE, "", 2)
    other = MemoryBus(BusSettings(), made.clock)
    await other.open()
    fresh = limits_of(made, settings, other)
    assert (await fresh.use(ALICE, ""))[0].sent == 2
    with pytest.raises(SendingLimitError):
        await fresh.charge(ALICE, "", 2)
    await fresh.charge(ALICE, "", 1)
    assert (await fresh.use(ALICE, ""))[0].sent == 3
    await other.close()


async def test_own_limits_come_before_the_settings_and_zero_is_none(made: Installation) -> None:
    limits = limits_of(made, SendingSettings(account_daily=1, domain_daily=1))
    await set_account_limit(made.administration, COMMAND_LINE, ALICE, 0)
    await set_domain_limit(made.administration, COMMAND_LINE, "example.test", 50)
    await limits.charge(ALICE, "example.test", 50)
    with pytest.raises(SendingLimitError):
        await limits.charge(ALICE, "example.test", 1)
    await set_domain_limit(made.administration, COMMAND_LINE, "example.test", None)
    assert [(use.kind, use.sent) for use in await list_use(made.administration, COMMAND_LINE)] == [
        ("domain", 50),
        ("account", 50),
    ]


async def test_who_may_change_limits(made: Installation) -> None:
    alice = Actor(ALICE, "user", f"user-{ALICE}")
    assert [use.name for use in await list_use(made.administration, alice, address=ALICE)] == [ALICE, "example.test"]
    for refused in (
        set_account_limit(made.administration, alice, ALICE, 9),
        set_domain_limit(made.administration, alice, "example.test", 9),
        list_use(made.administration, alice),
    ):
        with pytest.raises(PermissionDeniedError):
            await refused
