"""Changes that do not come about are told to nobody, those that do are told whatever happens; COPY and MOVE."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.implicit import ScheduledChange
from mailstead.mail.scheduling.storing import to_store
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Change, Kept
from mailstead.protocols.dav.scheduling.hooks import SchedulingHooks
from support.dav import C
from support.events import BOUNDS, attendee, calendar, event
from support.scheduling import ALICE, BOB, CAROL, FAY, People, people

Between = Callable[[Callable[[], Awaitable[object]]], None]
RULE = "RRULE:FREQ=WEEKLY;COUNT=5"
INVITE = calendar(event(attendee(BOB), organizer=ALICE))
WEEKLY = calendar(event(attendee(BOB), RULE, organizer=ALICE))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[People]:
    async with people(tmp_path) as found:
        yield found


# changes that do not come about, and servers that are stopped


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Sets what happens once, after a change was decided on and before it is stored."""
    waiting: list[Callable[[], Awaitable[object]]] = []
    original = SchedulingHooks.before

    async def before(self: SchedulingHooks, exchange: Exchange, change: Change) -> Kept:
        kept = await original(self, exchange, change)
        while waiting:
            await waiting.pop()()
        return kept

    monkeypatch.setattr(SchedulingHooks, "before", before)
    return waiting.append


async def test_who_loses_a_race_told_nobody(house: People, between: Between) -> None:
    with_carol = calendar(event(attendee(CAROL), attendee(FAY), organizer=ALICE))
    between(lambda: house.put(ALICE, INVITE))
    assert await house.put(ALICE, with_carol) == 412
    assert (await house.inbox(BOB), await house.inbox(CAROL), house.post.sent) == (["REQUEST"], [], [])
    assert (await house.made.mailbox(ALICE)).dav.owed() == []
    between(lambda: house.change(ALICE, ("SUMMARY:Talk", "SUMMARY:Long talk")))
    assert await house.delete(ALICE) == 412
    assert await house.inbox(BOB) == ["REQUEST", "REQUEST"]
    between(lambda: house.put(ALICE, with_carol.replace(b"UID:one", b"UID:two"), name="other"))
    assert await house.put(ALICE, INVITE.replace(b"UID:one", b"UID:two"), name="third") == 409
    assert (await house.inbox(BOB), await house.inbox(CAROL)) == (["REQUEST", "REQUEST"], ["REQUEST"])


async def test_a_calendar_that_changes_while_it_is_deleted(house: People, between: Between) -> None:
    await house.put(ALICE, INVITE)
    client = house.client(ALICE)
    between(lambda: house.put(ALICE, INVITE.replace(b"UID:one", b"UID:two"), name="two"))
    assert (await client("DELETE", f"{client.calendars}default/")).status == 412
    assert await house.inbox(BOB) == ["REQUEST", "REQUEST"]
    assert (await client("DELETE", f"{client.calendars}default/")).status == 204
    assert await house.inbox(BOB) == ["REQUEST", "REQUEST", "CANCEL", "CANCEL"]


async def test_what_a_stopped_server_left_untold_is_told(tmp_path: Path) -> None:
    clock = ManualClock(1_788_000_000.0)
    async with people(tmp_path, clock=clock) as house:
        mailbox = await house.made.mailbox(ALICE)
        (collection,) = [one for one in mailbox.dav.collections("calendar") if one.name == "default"]
        new = to_store("one.ics", calendar(event(attendee(BOB), attendee(FAY), organizer=ALICE)), BOUNDS)
        decided = await house.scheduling.decide(ScheduledChange(mailbox, collection.id, None, None, new), "caldav")
        assert decided.new is not None
        mailbox.dav.put(collection.id, decided.new, clock.now(), owes=decided.owes)
        assert [await house.status_in(ALICE, one) for one in (BOB, FAY)] == ["1.0", "1.0"]
        client = house.client(ALICE)
        await client("OPTIONS", client.calendars)
        assert await house.inbox(BOB) == []  # it may be under way still
        clock.advance(600)
        await client("GET", await house.path(ALICE))
        assert await house.inbox(BOB) == ["REQUEST"]
        assert house.post.take()["Subject"] == "Invitation: Talk"
        assert [await house.status_in(ALICE, one) for one in (BOB, FAY)] == ["1.2", "1.1"]
        assert mailbox.dav.owed() == []
        assert mailbox.check() == []


# COPY and MOVE (RFC 6638 §3.2.3.3, §3.2.3.4)


async def test_copies_and_moves(tmp_path: Path) -> None:
    async with people(tmp_path, Settings(dav=DavSettings(files=True))) as house:
        client = house.client(ALICE)
        others = calendar(event(attendee(BOB), organizer=CAROL))  # somebody's event that alice has no part in
        assert (await client.put(f"{client.calendars}default/other.ics", others)).status == 201
        await client("MKCALENDAR", f"{client.calendars}work/")
        reply = await client(
            "COPY", f"{client.calendars}default/other.ics", destination=f"{client.calendars}work/o.ics"
        )
        assert reply.status == 201
        assert await house.inbox(BOB) == []
        await client("DELETE", f"{client.calendars}default/other.ics")
        await client("DELETE", f"{client.calendars}work/o.ics")

        assert (await client("PUT", f"{client.files}talk.ics", INVITE, content_type="text/calendar")).status == 201
        assert await house.inbox(BOB) == []
        moved = await client("MOVE", f"{client.files}talk.ics", destination=f"{client.calendars}default/talk.ics")
        assert moved.status == 201  # into a calendar it is as a PUT
        assert await house.inbox(BOB) == ["REQUEST"]
        assert await house.status_in(ALICE, BOB) == "1.2"
        moved = await client("MOVE", f"{client.calendars}default/talk.ics", destination=f"{client.calendars}work/t.ics")
        assert (moved.status, await house.inbox(BOB)) == (201, ["REQUEST"])
        copied = await client("COPY", f"{client.calendars}work/t.ics", destination=f"{client.files}copy.ics")
        assert (copied.status, await house.inbox(BOB)) == (201, ["REQUEST"])
        moved = await client("MOVE", f"{client.calendars}work/t.ics", destination=f"{client.files}talk.ics")
        assert moved.status == 201  # out of a calendar it is as a DELETE
        assert await house.inbox(BOB) == ["REQUEST", "CANCEL"]


async def test_an_object_keeps_its_uid(house: People) -> None:
    await house.put(ALICE, INVITE)
    client = house.client(ALICE)
    reply = await client.put(f"{client.calendars}default/one.ics", INVITE.replace(b"UID:one", b"UID:two"))
    assert (reply.status, reply.condition) == (409, f"{C}no-uid-conflict")
    assert await house.inbox(BOB) == ["REQUEST"]
