"""Links to calendars: who has one sees the calendar, and of it only what is for everybody."""

from pathlib import Path

import msgspec

from mailstead.interfaces.dav.application import DavApplication
from mailstead.interfaces.dav.published import PublishedCalendars
from mailstead.stores.sharing.links import CalendarLinks
from support.dav import DavClient, calendar, dav_house, event

ALICE = "alice@example.test"


async def test_a_link_shows_what_is_public(tmp_path: Path) -> None:
    async with dav_house(tmp_path) as house:
        made = house.made
        links = CalendarLinks(made.documents, made.clock)
        house.application._published = PublishedCalendars(links, made.directory, made.mailboxes, made.settings)
        alice = house.client()
        default = f"{alice.calendars}default/"
        people = "ATTENDEE:mailto:bob@example.test"
        await alice("PUT", f"{default}a.ics", calendar(event("a", "DTSTART:20260105T100000Z", "SUMMARY:Open", people)))
        await alice(
            "PUT", f"{default}b.ics", calendar(event("b", "DTSTART:20260105T100000Z", "SUMMARY:Own", "CLASS:PRIVATE"))
        )
        shy = event("c", "DTSTART:20260105T100000Z", "SUMMARY:Doctor", "LOCATION:There", "CLASS:CONFIDENTIAL")
        await alice("PUT", f"{default}c.ics", calendar(shy))
        mailbox = await made.mailbox(ALICE)
        record = mailbox.dav.collection("calendar", "default")
        _, secret = await links.make(mailbox.id, record.id)
        stranger = DavClient(house.application, "nobody@far.test", "")
        path = f"/dav/public/{secret}.ics"
        reply = await stranger("GET", path, authorization="")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/calendar")
        text = reply.body.decode()
        assert text.count("BEGIN:VEVENT") == 2
        assert "SUMMARY:Open" in text
        assert "SUMMARY:Busy" in text
        for hidden in ("Own", "Doctor", "There", "bob@"):
            assert hidden not in text
        assert (await stranger("GET", path, if_none_match=reply.etag)).status == 304
        assert (await stranger("PUT", path, calendar(event("x")))).status == 405
        for wrong in (f"/dav/public/{secret}", "/dav/public/.ics", f"/dav/public/{secret}x.ics", "/dav/public/a/b.ics"):
            assert (await stranger("GET", wrong)).status == 404
        alias = await made.directory.alias(ALICE)
        assert alias is not None
        locked = msgspec.structs.replace(alias, slots=tuple(one for one in alias.slots if one.kind != "server"))
        unlocked = await made.directory.replace(locked)
        assert (await stranger("GET", path)).status == 404
        await made.directory.replace(msgspec.structs.replace(unlocked, slots=alias.slots))
        assert (await stranger("GET", path)).status == 200
        assert await links.remove(mailbox.id, record.id) == 1
        assert (await stranger("GET", path)).status == 404
        assert isinstance(house.application, DavApplication)
