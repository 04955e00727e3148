"""Scheduling beside the situations of test_itip_table: who is believed, what is refused, Schedule-Tag, the boxes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from support.dav import NAMESPACES, C, D
from support.events import attendee, calendar, event, series
from support.scheduling import ALICE, BOB, CAROL, FAY, People, calendar_in, people

Between = Callable[[Callable[[], Awaitable[object]]], None]
RULE = "RRULE:FREQ=WEEKLY;COUNT=5"
INVITE = calendar(event(attendee(BOB), organizer=ALICE))
WEEKLY = calendar(event(attendee(BOB), RULE, organizer=ALICE))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[People]:
    async with people(tmp_path) as found:
        yield found


async def test_others_see_answers_without_being_told(house: People) -> None:
    await house.put(ALICE, calendar(event(attendee(BOB), attendee(CAROL), organizer=ALICE)))
    await house.answer(BOB, "ACCEPTED")
    assert await house.answer_in(CAROL, BOB) == "ACCEPTED"
    assert await house.inbox(CAROL) == ["REQUEST"]


async def test_who_is_not_there(house: People) -> None:
    await house.put(ALICE, calendar(event(attendee("nobody@example.test"), organizer=ALICE)))
    assert await house.status_in(ALICE, "nobody@example.test") == "3.7"
    await house.put(ALICE, calendar(event(attendee("nobody@example.test"), "X-A:1", organizer=ALICE)))
    assert house.post.sent == []


# people elsewhere


async def test_outside_attendee_from_invitation_to_cancellation(house: People) -> None:
    invite = calendar(event(attendee(FAY), organizer=ALICE))
    await house.put(ALICE, invite)
    assert await house.status_in(ALICE, FAY) == "1.1"
    mail = house.post.take()
    assert (mail["From"].addresses[0].addr_spec, mail["To"].addresses[0].addr_spec) == (ALICE, FAY)
    data = calendar_in(mail)
    assert b"METHOD:REQUEST" in data
    reply = data.replace(b"METHOD:REQUEST", b"METHOD:REPLY").replace(
        b"CN=Fay;PARTSTAT=NEEDS-ACTION", b"PARTSTAT=TENTATIVE"
    )
    notes = await house.mail_from(FAY, ALICE, "REPLY", reply)
    assert notes == ["invitation noted as an answer in the calendar"]
    assert await house.answer_in(ALICE, FAY) == "TENTATIVE"
    assert len(await house.made.messages(ALICE)) == 1  # the mail itself stays
    await house.change(ALICE, ("20260907T", "20260908T"))
    assert house.post.take()["Subject"] == "Updated invitation: Talk"
    await house.delete(ALICE)
    mail = house.post.take()
    assert mail["Subject"] == "Cancelled: Talk"
    assert b"METHOD:CANCEL" in calendar_in(mail)


async def test_outside_organizer_from_invitation_to_cancellation(house: People) -> None:
    request = calendar(event(attendee(ALICE), organizer=FAY)).replace(b"PRODID", b"METHOD:REQUEST\r\nPRODID", 1)
    assert await house.mail_from(FAY, ALICE, "REQUEST", request) == ["invitation put into the calendar"]
    assert await house.inbox(ALICE) == ["REQUEST"]
    await house.answer(ALICE, "ACCEPTED")
    mail = house.post.take()
    assert mail["Subject"] == "Accepted: Talk"
    assert mail["To"].addresses[0].addr_spec == FAY
    assert b"METHOD:REPLY" in calendar_in(mail)
    line = (await house.series(ALICE)).first.first("ORGANIZER")
    assert line is not None
    assert line.parameter("SCHEDULE-STATUS") == "1.1"
    moved = request.replace(b"20260907T", b"20260909T").replace(b"SEQUENCE:0", b"SEQUENCE:1")
    assert await house.mail_from(FAY, ALICE, "REQUEST", moved) == ["invitation brought the calendar up to date"]
    assert await house.answer_in(ALICE, ALICE) == "NEEDS-ACTION"
    cancel = moved.replace(b"METHOD:REQUEST", b"METHOD:CANCEL").replace(b"SEQUENCE:1", b"SEQUENCE:2")
    assert await house.mail_from(FAY, ALICE, "CANCEL", cancel) == ["invitation called off in the calendar"]
    assert (await house.series(ALICE)).first.value("STATUS") == "CANCELLED"


@pytest.mark.parametrize(("dmarc", "folder"), [("fail", ""), ("none", ""), ("pass", "Junk")])
async def test_what_is_not_believed_changes_nothing(house: People, dmarc: str, folder: str) -> None:
    request = calendar(event(attendee(ALICE), organizer=FAY)).replace(b"PRODID", b"METHOD:REQUEST\r\nPRODID", 1)
    await house.mail_from(FAY, ALICE, "REQUEST", request, dmarc=dmarc, folder=folder)
    assert await house.copy(ALICE) is None
    assert len(await house.made.messages(ALICE, folder or "INBOX")) == 1


async def test_nobody_speaks_for_the_organizer(house: People) -> None:
    request = calendar(event(attendee(ALICE), organizer=FAY)).replace(b"PRODID", b"METHOD:REQUEST\r\nPRODID", 1)
    notes = await house.mail_from("eve@b.test", ALICE, "REQUEST", request)
    assert notes == ["invitation left to its reader: eve@b.test is neither its organizer nor asked"]
    assert await house.copy(ALICE) is None
    await house.put(ALICE, INVITE, name="two")
    forged = INVITE.replace(b"PRODID", b"METHOD:REPLY\r\nPRODID", 1).replace(b"NEEDS-ACTION", b"ACCEPTED")
    await house.mail_from("eve@b.test", ALICE, "REPLY", forged)
    assert await house.answer_in(ALICE, BOB) == "NEEDS-ACTION"


async def test_outside_counter_is_left_to_the_organizer(house: People) -> None:
    await house.put(ALICE, calendar(event(attendee(FAY), organizer=ALICE)))
    data = calendar_in(house.post.take())
    counter = data.replace(b"METHOD:REQUEST", b"METHOD:COUNTER").replace(b"20260907T", b"20260910T")
    assert await house.mail_from(FAY, ALICE, "COUNTER", counter) == ["invitation kept for its reader to decide"]
    assert (await house.series(ALICE)).first.value("DTSTART") == "20260907T090000"
    assert await house.inbox(ALICE) == ["COUNTER"]
    await house.change(ALICE, ("20260907T", "20260910T"))
    assert b"METHOD:REQUEST" in calendar_in(house.post.take())


async def test_outside_attendee_asks_again(house: People) -> None:
    await house.put(ALICE, calendar(event(attendee(FAY), organizer=ALICE)))
    data = calendar_in(house.post.take())
    refresh = data.replace(b"METHOD:REQUEST", b"METHOD:REFRESH")
    assert await house.mail_from(FAY, ALICE, "REFRESH", refresh) == [
        "invitation answered by sending the event, or asking for it"
    ]
    assert b"METHOD:REQUEST" in calendar_in(house.post.take())


async def test_instances_added_to_what_is_not_here_are_asked_for(house: People) -> None:
    added = calendar(event(attendee(ALICE), organizer=FAY)).replace(b"PRODID", b"METHOD:ADD\r\nPRODID", 1)
    notes = await house.mail_from(FAY, ALICE, "ADD", added)
    assert notes == ["invitation answered by sending the event, or asking for it"]
    assert await house.copy(ALICE) is None
    mail = house.post.take()
    assert (mail["Subject"], mail["To"].addresses[0].addr_spec) == ("Please send again: Event", FAY)
    sent = series(calendar_in(mail)).first
    assert [line.name for line in sent.lines] == ["ORGANIZER", "ATTENDEE", "UID", "DTSTAMP"]
    assert b"METHOD:REFRESH" in calendar_in(mail)


# Schedule-Tag, preconditions, boxes


async def test_a_schedule_tag_outlives_an_answer(house: People) -> None:
    await house.put(ALICE, INVITE)
    client, path = house.client(ALICE), await house.path(ALICE)
    before = await client("GET", path)
    tag = before.headers["schedule-tag"]
    await house.answer(BOB, "ACCEPTED")
    after = await client("GET", path)
    assert after.headers["schedule-tag"] == tag
    assert after.etag != before.etag
    changed = before.body.replace(b"SUMMARY:Talk", b"SUMMARY:Long talk")
    reply = await client("PUT", path, changed, if_schedule_tag_match=tag, content_type="text/calendar")
    assert reply.status == 204
    assert reply.headers["schedule-tag"] != tag
    assert await house.answer_in(ALICE, BOB) == "ACCEPTED"
    again = await client("PUT", path, changed, if_schedule_tag_match=tag, content_type="text/calendar")
    assert again.status == 412
    asked = f"<propfind {NAMESPACES}><prop><C:schedule-tag/></prop></propfind>"
    shown = await client("PROPFIND", path, asked, depth="0")
    assert shown.text(path, f"{C}schedule-tag") == reply.headers["schedule-tag"]


@pytest.mark.parametrize(
    ("who", "old", "new", "condition"),
    [
        (BOB, "20260907T", "20260908T", "allowed-attendee-scheduling-object-change"),
        (BOB, f"mailto:{ALICE}", f"mailto:{BOB}", "allowed-attendee-scheduling-object-change"),
        (
            ALICE,
            f"ORGANIZER;CN=Alice:mailto:{ALICE}",
            f"ORGANIZER:mailto:{BOB}",
            "allowed-organizer-scheduling-object-change",
        ),
    ],
)
async def test_refusals(house: People, who: str, old: str, new: str, condition: str) -> None:
    await house.put(ALICE, INVITE)
    data = await house.copy(who)
    assert data is not None
    text = data.replace(b"\r\n ", b"").decode()
    assert old in text
    client = house.client(who)
    reply = await client("PUT", await house.path(who), text.replace(old, new), content_type="text/calendar")
    assert (reply.status, reply.condition) == (403, f"{C}{condition}")
    assert await house.copy(who) == data


async def test_one_event_is_in_one_calendar(house: People) -> None:
    await house.put(ALICE, INVITE)
    client = house.client(ALICE)
    assert (await client("MKCALENDAR", f"{client.calendars}work/")).status == 201
    reply = await client("PUT", f"{client.calendars}work/two.ics", INVITE, content_type="text/calendar")
    assert (reply.status, reply.condition) == (403, f"{C}unique-scheduling-object-resource")
    path = await house.path(ALICE)
    reply = await client("COPY", path, destination=f"{client.calendars}work/two.ics")
    assert (reply.status, reply.condition) == (403, f"{C}unique-scheduling-object-resource")
    assert (await client("MOVE", path, destination=f"{client.calendars}work/two.ics")).status == 201
    assert await house.inbox(BOB) == ["REQUEST"]


async def test_inbox_and_outbox(house: People) -> None:
    await house.put(ALICE, INVITE)
    client = house.client(BOB)
    principal = f"/dav/{BOB}/"
    names = "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><resourcetype/><C:schedule-default-calendar-URL/>"
    asked = f"<propfind {NAMESPACES}><prop>{names}</prop></propfind>"
    found = (await client("PROPFIND", principal, asked, depth="0")).properties(principal)
    assert found[f"{C}schedule-inbox-URL"].text_of(f"{D}href") == f"{principal}inbox/"
    assert found[f"{C}schedule-outbox-URL"].text_of(f"{D}href") == f"{principal}outbox/"
    inbox = await client("PROPFIND", f"{principal}inbox/", asked, depth="1")
    shown = inbox.properties(f"{principal}inbox/")
    assert {one.tag for one in shown[f"{D}resourcetype"].children} == {f"{D}collection", f"{C}schedule-inbox"}
    assert shown[f"{C}schedule-default-calendar-URL"].text_of(f"{D}href") == f"{client.calendars}default/"
    (item,) = [href for href in inbox.responses() if href != f"{principal}inbox/"]
    assert b"METHOD:REQUEST" in (await client("GET", item)).body
    assert (await client("PUT", f"{principal}inbox/x.ics", INVITE)).status == 403
    assert (await client("DELETE", f"{principal}inbox/")).status == 403
    assert (await client("DELETE", item)).status == 204
    assert await house.inbox(BOB) == []
    assert (await house.client(ALICE)("PROPFIND", f"{principal}inbox/", depth="0")).status == 404


async def test_the_inbox_is_searched(house: People) -> None:
    await house.put(ALICE, INVITE)
    await house.put(ALICE, INVITE.replace(b"UID:one", b"UID:two").replace(b"202609", b"202610"), name="two")
    client = house.client(BOB)

    async def found(inner: str) -> list[str]:
        asked = f'<prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
        reply = await client.report(f"/dav/{BOB}/inbox/", "C:calendar-query", asked)
        data = [reply.text(href, f"{C}calendar-data") for href in reply.responses()]
        assert all("METHOD:REQUEST" in one for one in data)
        return sorted(one.partition("UID:")[2].split()[0] for one in data)

    event_filter = '<C:comp-filter name="VEVENT">{}</C:comp-filter>'
    assert await found("") == ["one", "two"]
    assert await found(event_filter.format('<C:time-range start="20261001T000000Z"/>')) == ["two"]
    by_uid = '<C:prop-filter name="UID"><C:text-match collation="i;octet">one</C:text-match></C:prop-filter>'
    assert await found(event_filter.format(by_uid)) == ["one"]
    assert await found('<C:comp-filter name="VTODO"/>') == []


async def test_the_default_calendar_is_chosen(house: People) -> None:
    client = house.client(BOB)
    await client("MKCALENDAR", f"{client.calendars}work/")
    inbox = f"/dav/{BOB}/inbox/"

    def setting(href: str) -> str:
        name = "C:schedule-default-calendar-URL"
        return f"<propertyupdate {NAMESPACES}><set><prop><{name}><href>{href}</href></{name}></prop></set></propertyupdate>"

    refused = await client("PROPPATCH", inbox, setting(f"{client.calendars}nothing/"))
    assert b"valid-schedule-default-calendar-URL" in refused.body
    done = await client("PROPPATCH", inbox, setting(f"{client.calendars}work/"))
    assert f"{C}schedule-default-calendar-URL" in done.properties(inbox)
    await house.put(ALICE, INVITE)
    assert "/work/" in await house.path(BOB)


async def test_busy_time_of_others(house: People) -> None:
    await house.put(BOB, calendar(event(organizer=BOB)))
    client = house.client(ALICE)
    people_asked = "".join(f"ATTENDEE:mailto:{one}\r\n" for one in (BOB, CAROL, "nobody@example.test", FAY))
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:q\r\n"
        "DTSTAMP:20260901T000000Z\r\nDTSTART:20260907T000000Z\r\nDTEND:20260908T000000Z\r\n"
        f"ORGANIZER:mailto:{ALICE}\r\n{people_asked}END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    reply = await client("POST", f"/dav/{ALICE}/outbox/", body, content_type="text/calendar")
    assert reply.status == 200
    answers = {}
    for one in reply.xml.all(f"{C}response"):
        recipient = one.first(f"{C}recipient")
        assert recipient is not None
        answers[recipient.text_of(f"{D}href")] = (one.text_of(f"{C}request-status"), one.text_of(f"{C}calendar-data"))
    assert (answers[f"mailto:{BOB}"][0] or "").startswith("2.0")
    busy = series_text(answers[f"mailto:{BOB}"][1])
    assert "FREEBUSY:20260907T070000Z/20260907T080000Z" in busy
    assert "FREEBUSY" not in series_text(answers[f"mailto:{CAROL}"][1]).replace("VFREEBUSY", "")
    assert answers["mailto:nobody@example.test"] == ("3.7;Invalid calendar user", None)
    assert answers[f"mailto:{FAY}"] == ("3.7;Invalid calendar user", None)
    wrong = body.replace(f"ORGANIZER:mailto:{ALICE}", f"ORGANIZER:mailto:{BOB}")
    refused = await client("POST", f"/dav/{ALICE}/outbox/", wrong, content_type="text/calendar")
    assert (refused.status, refused.condition) == (403, f"{C}valid-organizer")
    refused = await client("POST", f"/dav/{ALICE}/outbox/", INVITE, content_type="text/calendar")
    assert (refused.status, refused.condition) == (400, f"{C}valid-scheduling-message")
    assert (await client("POST", f"/dav/{BOB}/outbox/", body, content_type="text/calendar")).status == 404


async def test_who_cannot_be_asked_is_not_free(house: People) -> None:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:v\r\nDTSTAMP:20260101T000000Z\r\n"
        "BEGIN:AVAILABLE\r\nUID:a\r\nDTSTART;TZID=Europe/Paris:20260907T090000\r\nDURATION:PT8H\r\n"
        "RRULE:FREQ=DAILY\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
    )
    bob, inbox = house.client(BOB), f"/dav/{BOB}/inbox/"

    async def set_to(value: str) -> bytes:
        prop = f"<set><prop><C:calendar-availability>{value}</C:calendar-availability></prop></set>"
        return (await bob("PROPPATCH", inbox, f"<propertyupdate {NAMESPACES}>{prop}</propertyupdate>")).body

    assert b"valid-calendar-data" in await set_to("BEGIN:VCALENDAR")
    assert b"valid-calendar-data" in await set_to(INVITE.decode())
    assert b" 200 " in await set_to(text)
    shown = await bob.propfind(inbox, "C:calendar-availability")
    assert "BEGIN:AVAILABLE" in shown.text(inbox, f"{C}calendar-availability")
    await house.put(BOB, calendar(event(organizer=BOB)))
    busy = await house.delivery.busy(BOB, 1_788_739_200, 1_788_739_200 + 86400)
    assert [(one.start - 1_788_739_200) // 3600 for one in busy or ()] == [0, 7, 15]
    assert [one.kind for one in busy or ()] == ["BUSY-UNAVAILABLE", "BUSY", "BUSY-UNAVAILABLE"]


def series_text(data: str | None) -> str:
    assert data is not None
    assert series(data.replace("VFREEBUSY", "VEVENT").encode()).uid == "q"
    return data


async def test_a_locked_mailbox_gets_mail(house: People) -> None:
    alias = await house.made.directory.alias(BOB)
    assert alias is not None
    await house.made.directory.replace(
        msgspec.structs.replace(alias, slots=tuple(one for one in alias.slots if one.kind != "server"))
    )
    await house.put(ALICE, INVITE)
    assert await house.status_in(ALICE, BOB) == "1.1"
