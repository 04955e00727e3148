"""The calendar of birthdays: as the address books are, whoever changed them, and nobody's to change."""

from pathlib import Path

import pytest

from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.storing import default_calendar
from mailstead.stores.mailbox.dav.records import MadeByServerError, NewObject
from mailstead.stores.mailbox.mailbox import Mailbox
from support.dav import CalDavCopy, D, DavClient, DavHouse, card, dav_house

ANN = card("ann", "Ann", "BDAY:1996-04-15")


@pytest.fixture
async def mailbox(house: DavHouse, alice: DavClient) -> Mailbox:
    found = await house.made.mailbox(alice.address)
    found.dav.switch_birthdays(on=True)
    return found


def place(client: DavClient) -> str:
    return f"{client.calendars}birthdays/"


async def titles(client: DavClient) -> list[str]:
    """What the calendar says, by its objects."""
    found = await client.report(place(client), "C:calendar-query", "<prop><C:calendar-data/></prop>" + FILTER)
    texts = [(await client("GET", href)).body.decode() for href in found.responses()]
    lines = [line for text in texts for line in text.split("\r\n")]
    return sorted(line.removeprefix("SUMMARY:") for line in lines if line.startswith("SUMMARY"))


FILTER = '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>'


async def test_follows_the_address_books(alice: DavClient, mailbox: Mailbox) -> None:
    copy = CalDavCopy(alice, place(alice))
    await copy.synchronise()
    assert copy.etags == {}
    book = f"{alice.contacts}default/"
    await alice.put(f"{book}ann.vcf", ANN)
    await alice.put(f"{book}bo.vcf", card("bo", "Bo", "BDAY:--0229", "ANNIVERSARY:20100601", version="4.0"))
    await alice.put(f"{book}cy.vcf", card("cy", "Cy"))
    assert len((await copy.synchronise())[0]) == 3
    assert await titles(alice) == ["🎂 Ann (1996)", "🎂 Bo", "💍 Bo (2010)"]

    assert await copy.synchronise() == (set(), set())
    await alice.put(f"{book}ann.vcf", card("ann", "Ann", "BDAY:1996-04-15", "NOTE:tall"))
    assert await copy.synchronise() == (set(), set())  # nothing that the calendar tells is another
    await alice.put(f"{book}ann.vcf", card("ann", "Ann Lee", "BDAY:1996-04-15"))
    await alice.put(f"{book}cy.vcf", card("cy", "Cy", "BDAY:19800101"))
    changed, gone = await copy.synchronise()
    assert (len(changed), len(gone)) == (2, 0)
    await alice.put(f"{book}bo.vcf", card("bo", "Bo", "BDAY:--0229", version="4.0"))
    await alice("DELETE", f"{book}cy.vcf")
    changed, gone = await copy.synchronise()
    assert (len(changed), len(gone)) == (0, 2)
    assert await titles(alice) == ["🎂 Ann Lee (1996)", "🎂 Bo"]

    await alice("MKCOL", f"{alice.contacts}more/", MKBOOK)
    assert (await alice("MOVE", f"{book}bo.vcf", destination=f"{alice.contacts}more/bo.vcf")).status == 201
    await copy.synchronise()
    assert await titles(alice) == ["🎂 Ann Lee (1996)", "🎂 Bo"]
    assert (await alice("DELETE", f"{alice.contacts}more/")).status == 204
    changed, gone = await copy.synchronise()
    assert (len(changed), len(gone)) == (0, 1)
    assert await titles(alice) == ["🎂 Ann Lee (1996)"]
    assert mailbox.check() == []


MKBOOK = (
    '<mkcol xmlns="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/>'
    "<A:addressbook/></resourcetype></prop></set></mkcol>"
)


async def test_is_nobodys_to_change(alice: DavClient, mailbox: Mailbox) -> None:
    await alice.put(f"{alice.contacts}default/ann.vcf", ANN)
    (href,) = [one for one in (await alice.propfind(place(alice), "getetag", depth="1")).responses() if "ics" in one]
    data = (await alice("GET", href)).body
    for reply in (
        await alice.put(href, data.replace(b"Ann", b"Eve")),
        await alice.put(f"{place(alice)}new.ics", data),
        await alice("DELETE", href),
        await alice("MOVE", href, destination=f"{alice.calendars}default/x.ics"),
    ):
        assert (reply.status, reply.condition) == (403, f"{D}need-privileges")
    assert (await alice("COPY", href, destination=f"{alice.calendars}default/x.ics")).status == 201
    (record,) = [one for one in mailbox.dav.collections("calendar") if one.is_made]
    for change in (
        lambda: mailbox.dav.put(record.id, NewObject("a", "a", "VEVENT", data), 0),
        lambda: mailbox.dav.delete(record.id, href.rpartition("/")[2], 0),
    ):
        with pytest.raises(MadeByServerError):
            change()
    shown = await alice.propfind(place(alice), "displayname", "current-user-privilege-set")
    assert shown.text(place(alice), f"{D}displayname") == "Birthdays"
    await alice("DELETE", f"{alice.calendars}default/")
    assert default_calendar(mailbox.dav, "VEVENT").name == "invitations"


async def test_is_switched_off_by_deleting(tmp_path: Path) -> None:
    async with dav_house(tmp_path, Settings(dav=DavSettings(birthdays=True))) as house:
        alice = house.client()
        await alice.put(f"{alice.contacts}default/ann.vcf", ANN)
        assert place(alice) in (await alice.propfind(alice.calendars, "displayname", depth="1")).responses()
        assert await titles(alice) == ["🎂 Ann (1996)"]
        assert (await alice("DELETE", place(alice))).status == 204
        assert place(alice) not in (await alice.propfind(alice.calendars, "displayname", depth="1")).responses()
        mailbox = await house.made.mailbox(alice.address)
        assert mailbox.dav.birthdays() is False
        mailbox.dav.switch_birthdays(on=True)
        assert await titles(alice) == ["🎂 Ann (1996)"]
        mailbox.dav.switch_birthdays(on=False)
        assert (await alice.propfind(place(alice))).status == 404


async def test_beside_a_calendar_of_that_name(alice: DavClient, house: DavHouse) -> None:
    assert (await alice("MKCALENDAR", place(alice))).status == 201
    mailbox = await house.made.mailbox(alice.address)
    mailbox.dav.switch_birthdays(on=True)
    names = {one.name: one.is_made for one in mailbox.dav.collections("calendar")}
    assert names == {"birthdays": False, "birthdays-2": True, "default": False, "tasks": False}
