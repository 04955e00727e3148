"""Greylisting: strangers come back once; networks that do are known."""

import time
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.greylist import GreylistSettings
from mailstead.mail.screening.greylist import Greylist
from support.installation import installation

ONE, SAME_NETWORK, OTHER = "198.51.100.7", "198.51.100.200", "203.0.113.9"


@pytest.mark.parametrize("kept", [True, False])
async def test_who_comes_back_is_known(tmp_path: Path, kept: bool) -> None:
    """`kept`: the entries survive a restart."""
    clock = ManualClock(time.time())
    async with installation(tmp_path, clock=clock) as made:
        greylist = Greylist(made.documents, GreylistSettings(), clock)
        first = await greylist.refusal(ONE, "a.test", "alice@example.test")
        assert first is not None
        assert (first.code, first.status) == (450, "4.7.1")
        clock.advance(60)
        early = await greylist.refusal(SAME_NETWORK, "a.test", "alice@example.test")
        assert early is not None
        assert early.text == "Not known here yet, come back in 60 seconds (greylisting)"
        clock.advance(61)
        if not kept:
            assert await greylist.refusal(SAME_NETWORK, "a.test", "ALICE@example.test") is None
    if kept:
        async with installation(tmp_path, clock=clock) as made:
            greylist = Greylist(made.documents, GreylistSettings(), clock)
            assert await greylist.refusal(SAME_NETWORK, "a.test", "alice@example.test") is None


async def test_a_network_that_comes_back_often_is_known_for_everybody(tmp_path: Path) -> None:
    clock = ManualClock(time.time())
    async with installation(tmp_path, clock=clock) as made:
        greylist = Greylist(made.documents, GreylistSettings(network_passes=2), clock)
        for name in ("alice", "bob"):
            assert await greylist.refusal(ONE, "a.test", f"{name}@example.test") is not None
            clock.advance(121)
            assert await greylist.refusal(ONE, "a.test", f"{name}@example.test") is None
        assert await greylist.refusal(SAME_NETWORK, "a.test", "carol@example.test") is None
        assert await greylist.refusal(SAME_NETWORK, "b.test", "carol@example.test") is not None
        assert await greylist.refusal(OTHER, "a.test", "carol@example.test") is not None
        clock.advance(37 * 86400)
        assert await greylist.refusal(ONE, "a.test", "carol@example.test") is not None


async def test_who_comes_back_too_late_begins_anew(tmp_path: Path) -> None:
    clock = ManualClock(time.time())
    async with installation(tmp_path, clock=clock) as made:
        greylist = Greylist(made.documents, GreylistSettings(retry_within=3600), clock)
        assert await greylist.refusal(ONE, "", "alice@example.test") is not None
        clock.advance(3601)
        assert await greylist.refusal(ONE, "", "alice@example.test") is not None
        clock.advance(121)
        assert await greylist.refusal(ONE, "", "alice@example.test") is None
