from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.errors import NotFoundError
from mailstead.mail.sending.suppression import SuppressedError, SuppressionList
from support.installation import Installation, installation


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path, clock=ManualClock(1_800_000_000.0)) as running:
        yield running


def listing(made: Installation) -> SuppressionList:
    return SuppressionList(made.documents, SendingSettings(bounces=2, suppression=3600.0), made.clock)


async def test_bounces_in_a_row_and_not_others_suppress_for_a_while(made: Installation) -> None:
    found = listing(made)
    await found.add("example.test", "Dave@Remote.test", "bounce", "550 5.1.1 nobody")
    await found.check("example.test", "dave@remote.test")
    await found.delivered("example.test", "dave@remote.test")
    await found.add("example.test", "dave@remote.test", "bounce", "550 5.1.1 nobody")
    await found.check("example.test", "dave@remote.test")
    assert await found.list_all() == []
    await found.add("example.test", "dave@remote.test", "bounce", "550 5.1.1 nobody")
    with pytest.raises(SuppressedError, match=r"bounce\): 550 5\.1\.1 nobody"):
        await found.check("example.test", "DAVE@remote.test")
    await found.check("other.test", "dave@remote.test")
    assert isinstance(made.clock, ManualClock)
    made.clock.advance(3601)
    await found.check("example.test", "dave@remote.test")
    await found.add("example.test", "dave@remote.test", "bounce", "550 5.1.1 nobody")
    await found.check("example.test", "dave@remote.test")  # counted anew


async def test_a_complaint_stays_until_somebody_removes_it(made: Installation) -> None:
    found = listing(made)
    await found.add("example.test", "dave@remote.test", "complaint", "abuse")
    await found.add("example.test", "dave@remote.test", "bounce", "550 5.1.1 nobody")
    await found.delivered("example.test", "dave@remote.test")
    assert [(one.reason, one.ends_at) for one in await found.list_all(domain="example.test")] == [("complaint", None)]
    await found.remove("example.test", "dave@remote.test")
    await found.check("example.test", "dave@remote.test")
    with pytest.raises(NotFoundError):
        await found.remove("example.test", "dave@remote.test")


async def test_the_list_of_all_domains_holds_for_each(made: Installation) -> None:
    found = listing(made)
    await found.add("", "spam-trap@remote.test", "manual", "trap")
    with pytest.raises(SuppressedError):
        await found.check("example.test", "spam-trap@remote.test")
