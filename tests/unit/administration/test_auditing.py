"""The audit log: kept as long as Settings say, read by those whom it concerns."""

from pathlib import Path

import msgspec
import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.auditing import expire_audit, list_audit
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.audit import AuditSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import PermissionDeniedError
from support.installation import installation

_DAY = 86400.0
OLD, YOUNG = Actor("old", "user", "1"), Actor("young", "user", "2")


@pytest.mark.parametrize(("days", "left"), [(30, ["young"]), (0, ["young", "old"])])
async def test_entries_are_kept_as_long_as_settings_say(tmp_path: Path, days: int, left: list[str]) -> None:
    clock = ManualClock(1_800_000_000.0)
    settings = msgspec.structs.replace(Settings(), audit=AuditSettings(retention=days * _DAY))
    async with installation(tmp_path, settings, clock) as made:
        begun = clock.now()
        await made.administration.audit(OLD, "alias.add", "x@example.test")
        clock.advance(20 * _DAY)
        await made.administration.audit(YOUNG, "alias.add", "y@example.test")
        clock.advance(20 * _DAY)
        assert (await expire_audit(made.administration) > 0) == bool(days)
        found = await list_audit(made.administration, COMMAND_LINE, limit=100, since=begun)
        assert [one.actor for one in found if one.actor in ("old", "young")] == left


async def test_who_is_no_admin_reads_what_they_did_themselves(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await made.administration.audit(OLD, "alias.add", "x@example.test")
        await made.administration.audit(YOUNG, "alias.add", "y@example.test")
        assert [one.actor for one in await list_audit(made.administration, OLD, limit=10)] == ["old"]
        for where in ({"target": "y@example.test"}, {"domain": "example.test"}):
            with pytest.raises(PermissionDeniedError):
                await list_audit(made.administration, OLD, limit=10, **where)  # type: ignore[arg-type]
