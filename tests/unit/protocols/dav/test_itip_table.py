"""Every situation of docs/scheduling.md from its beginning to its end, over CalDAV: with everybody on one server, with
the attendees on another one that is reached by mail, with the organizer there, and with some here and some there.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.dav import C
from support.events import attendee, calendar, event, instance
from support.two_houses import World, world

RULE = "RRULE:FREQ=WEEKLY;COUNT=5"
SECOND = "20260914T090000"
FAR = {
    "one server": frozenset[str](),
    "attendees elsewhere": frozenset(("bob", "carol", "dan")),
    "organizer elsewhere": frozenset(("alice",)),
    "some elsewhere": frozenset(("bob", "dan")),
}
everywhere = pytest.mark.parametrize("there", FAR, indirect=True)


@pytest.fixture(params=("one server", "attendees elsewhere"))
async def there(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, FAR[request.param]) as found:
        yield found


def talk(there: World, *lines: str) -> bytes:
    """Alice's event with bob and carol."""
    return calendar(event(attendee(there.bob), attendee(there.carol), *lines, organizer=there.alice))


async def invited(there: World, *lines: str) -> None:
    assert await there.put(there.alice, talk(there, *lines)) == 201
    for who in (there.bob, there.carol):
        assert await there.answer_in(who, who) == "NEEDS-ACTION"
        assert await there.inbox(who) == ["REQUEST"]
        sent = "1.1" if there.is_far(who) != there.is_far(there.alice) else "1.2"
        assert await there.status_in(there.alice, who) == sent


def without_stamp(text: str) -> list[str]:
    return [line for line in text.split("\r\n") if not line.startswith("DTSTAMP")]


async def key_of(there: World, who: str) -> int:
    """The one changed instance of somebody's copy."""
    (key,) = (await there.series(who)).overrides
    return key


@everywhere
async def test_new_and_answered(there: World) -> None:
    await invited(there)
    assert await there.answer(there.bob, "ACCEPTED") == 204
    assert await there.answer(there.carol, "TENTATIVE") == 204
    assert await there.answer_in(there.alice, there.bob) == "ACCEPTED"
    assert await there.answer_in(there.alice, there.carol) == "TENTATIVE"
    assert await there.status_in(there.alice, there.bob) == "2.0"
    assert await there.inbox(there.alice) == ["REPLY", "REPLY"]


async def test_another_time(there: World) -> None:
    await invited(there)
    await there.answer(there.bob, "ACCEPTED")
    assert await there.change(there.alice, ("20260907T", "20260908T")) == 204
    assert await there.answer_in(there.alice, there.bob) == "NEEDS-ACTION"
    for who in (there.bob, there.carol):
        first = (await there.series(who)).first
        assert (first.value("DTSTART"), first.value("SEQUENCE")) == ("20260908T090000", "1")
        assert await there.answer_in(who, who) == "NEEDS-ACTION"


async def test_another_title(there: World) -> None:
    await invited(there)
    await there.answer(there.bob, "ACCEPTED")
    await there.change(there.alice, ("SUMMARY:Talk", "SUMMARY:Long talk"))
    for who in (there.bob, there.carol):
        assert (await there.series(who)).first.value("SUMMARY") == "Long talk"
    assert await there.answer_in(there.bob, there.bob) == "ACCEPTED"
    assert await there.answer_in(there.alice, there.bob) == "ACCEPTED"


@everywhere
async def test_one_instance_at_another_time(there: World) -> None:
    await invited(there, RULE)
    await there.answer(there.bob, "ACCEPTED")
    people = (attendee(there.bob, "ACCEPTED"), attendee(there.carol))
    moved = instance(SECOND, *people, start="20260914T110000", organizer=there.alice)
    await there.change(there.alice, ("END:VCALENDAR", f"{moved}END:VCALENDAR"))
    key = await key_of(there, there.bob)
    assert await there.answer_in(there.bob, there.bob, key) == "NEEDS-ACTION"
    assert await there.answer_in(there.bob, there.bob) == "ACCEPTED"
    asked = f"ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:{there.bob}"
    await there.change(there.bob, (asked, attendee(there.bob, "DECLINED")))
    assert await there.answer_in(there.alice, there.bob, key) == "DECLINED"
    assert await there.answer_in(there.alice, there.bob) == "ACCEPTED"
    assert await there.answer_in(there.alice, there.carol, key) == "NEEDS-ACTION"


async def test_one_instance_answered(there: World) -> None:
    await invited(there, RULE)
    await there.answer(there.bob, "ACCEPTED")
    people = (attendee(there.bob, "DECLINED"), attendee(there.carol))
    declined = instance(SECOND, *people, organizer=there.alice)
    assert await there.change(there.bob, ("END:VCALENDAR", f"{declined}END:VCALENDAR")) == 204
    key = await key_of(there, there.alice)
    assert await there.answer_in(there.alice, there.bob, key) == "DECLINED"
    assert await there.answer_in(there.alice, there.bob) == "ACCEPTED"


async def test_one_instance_left_out_by_an_attendee(there: World) -> None:
    await invited(there, RULE)
    await there.answer(there.bob, "ACCEPTED")
    assert await there.change(there.bob, (RULE, f"{RULE}\r\nEXDATE;TZID=Europe/Paris:{SECOND}")) == 204
    key = await key_of(there, there.alice)
    assert await there.answer_in(there.alice, there.bob, key) == "DECLINED"


async def test_one_instance_called_off(there: World) -> None:
    await invited(there, RULE)
    await there.change(there.alice, (RULE, f"{RULE}\r\nEXDATE;TZID=Europe/Paris:{SECOND}"))
    for who in (there.bob, there.carol):
        master = (await there.series(who)).master
        assert master is not None
        assert (master.value("EXDATE"), master.value("STATUS")) == (SECOND, "")
        assert await there.inbox(who) == ["REQUEST", "CANCEL"]


async def test_this_and_all_that_follow(there: World) -> None:
    await invited(there, RULE)
    await there.change(there.alice, (RULE, "RRULE:FREQ=WEEKLY;UNTIL=20260914T065959Z"))
    later = event(attendee(there.bob), RULE, start="20260914T150000", uid="two", organizer=there.alice)
    assert await there.put(there.alice, calendar(later), name="two") == 201
    assert "UNTIL=20260914T065959Z" in await there.text(there.bob)
    house = there.house(there.bob)
    assert b"20260914T150000" in (await house.copy(there.bob, "two") or b"")
    assert await there.house(there.carol).copy(there.carol, "two") is None


@everywhere
async def test_cancelled(there: World) -> None:
    await invited(there)
    assert await there.delete(there.alice) == 204
    for who in (there.bob, there.carol):
        assert (await there.series(who)).first.value("STATUS") == "CANCELLED"
        assert await there.inbox(who) == ["REQUEST", "CANCEL"]


async def test_declined_by_deleting(there: World) -> None:
    await invited(there)
    assert await there.delete(there.bob) == 204
    assert await there.answer_in(there.alice, there.bob) == "DECLINED"
    await there.delete(there.carol, schedule_reply="F")
    assert await there.answer_in(there.alice, there.carol) == "NEEDS-ACTION"


async def test_another_time_proposed_and_taken(there: World) -> None:
    await invited(there)
    proposal = (await there.text(there.bob)).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:COUNTER")
    reply = await there.propose(there.bob, proposal.replace("20260907T09", "20260907T13").encode())
    assert (reply.status, reply.xml.text_of(f"{C}response")) == (200, "")
    assert b"2.0;Success" in reply.body
    assert (await there.series(there.alice)).first.value("DTSTART") == "20260907T090000"
    assert await there.inbox(there.alice) == ["COUNTER"]
    assert await there.mails(there.alice) == ["Another time proposed: Talk"]
    await there.change(there.alice, ("20260907T09", "20260907T13"), ("20260907T10", "20260907T14"))
    for who in (there.bob, there.carol):
        assert (await there.series(who)).first.value("DTSTART") == "20260907T130000"


async def test_another_time_for_one_instance_proposed_and_declined(there: World) -> None:
    await invited(there, RULE)
    wanted = instance(SECOND, attendee(there.bob), start="20260914T160000", organizer=there.alice)
    proposal = calendar(wanted).replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:COUNTER")
    assert (await there.propose(there.bob, proposal)).status == 200
    assert await there.inbox(there.alice) == ["COUNTER"]
    declined = proposal.replace(b"METHOD:COUNTER", b"METHOD:DECLINECOUNTER")
    assert (await there.propose(there.alice, declined)).status == 200
    assert (await there.inbox(there.bob))[-1] == "DECLINECOUNTER"
    assert "Proposal declined: Talk" in await there.mails(there.bob)
    assert "DECLINECOUNTER" not in await there.inbox(there.carol)
    assert not (await there.series(there.bob)).overrides


async def test_asked_for_again(there: World) -> None:
    await invited(there)
    before = without_stamp(await there.text(there.bob))
    refresh = calendar(event(attendee(there.bob), organizer=there.alice))
    refresh = refresh.replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:REFRESH")
    assert (await there.propose(there.bob, refresh)).status == 200
    assert without_stamp(await there.text(there.bob)) == before
    if there.is_far(there.bob) != there.is_far(there.alice):
        assert there.subjects[-2:] == ["Please send again: Event", "Invitation: Talk"]


@everywhere
async def test_delegated(there: World) -> None:
    await invited(there)
    to = attendee(there.bob, "DELEGATED", f';DELEGATED-TO="mailto:{there.dan}"')
    by = attendee(there.dan, "NEEDS-ACTION", f';DELEGATED-FROM="mailto:{there.bob}"')
    line, _ = await there.house(there.bob).own_line(there.bob)
    assert await there.change(there.bob, (line, f"{to}\r\n{by}")) == 204
    assert await there.answer_in(there.alice, there.bob) == "DELEGATED"
    assert await there.answer_in(there.alice, there.dan) == "NEEDS-ACTION"
    assert set(await there.inbox(there.dan)) == {"REQUEST"}
    await there.answer(there.dan, "ACCEPTED")
    assert await there.answer_in(there.alice, there.dan) == "ACCEPTED"
    await there.change(there.alice, ("20260907T", "20260909T"))
    assert (await there.series(there.dan)).first.value("DTSTART") == "20260909T090000"


@everywhere
async def test_removed_attendee(there: World) -> None:
    await invited(there)
    line = next(one for one in (await there.text(there.alice)).split("\r\n") if one.endswith(f"mailto:{there.bob}"))
    await there.change(there.alice, (f"{line}\r\n", ""))
    assert (await there.series(there.bob)).first.value("STATUS") == "CANCELLED"
    assert (await there.series(there.carol)).first.value("STATUS") == ""
    assert await there.answer_in(there.carol, there.bob) == ""


async def test_attendee_of_one_instance(there: World) -> None:
    await invited(there, RULE)
    people = (attendee(there.bob), attendee(there.carol), attendee(there.dan))
    extra = instance(SECOND, *people, organizer=there.alice)
    await there.change(there.alice, ("END:VCALENDAR", f"{extra}END:VCALENDAR"))
    copy = await there.series(there.dan)
    assert copy.master is None
    (key,) = copy.overrides
    text = await there.text(there.dan)
    line, _ = await there.house(there.dan).own_line(there.dan)
    assert RULE not in text
    await there.change(there.dan, (line, attendee(there.dan, "ACCEPTED")))
    assert await there.answer_in(there.alice, there.dan, key) == "ACCEPTED"
    assert await there.answer_in(there.alice, there.dan) == ""


async def test_what_is_not_ones_to_send(there: World) -> None:
    await invited(there)
    text = (await there.text(there.bob)).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:DECLINECOUNTER")
    for method in ("DECLINECOUNTER", "CANCEL", "REQUEST"):
        reply = await there.propose(there.bob, text.replace("DECLINECOUNTER", method).encode())
        assert (reply.status // 100, reply.condition) == (4, f"{C}valid-scheduling-message")
    own = (await there.text(there.alice)).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:COUNTER")
    assert (await there.propose(there.alice, own.encode())).status == 403
    unknown = text.replace("UID:one", "UID:other").replace("DECLINECOUNTER", "COUNTER")
    assert (await there.propose(there.bob, unknown.encode())).status == 403
    assert await there.inbox(there.alice) == []
