"""What is sent to break the server: bounded, answered with the right refusal, and nothing is stored."""

import pytest

from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.settings import Settings
from mailstead.protocols.dav.xml.reader import XmlBounds, XmlError, XmlLimitError, read_xml
from support.dav import A, C, D, DavClient, calendar, card, event

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
BOMB = f'<!DOCTYPE propfind [<!ENTITY l0 "lol">{LAUGHS}]><propfind xmlns="DAV:"><prop>&l29;</prop></propfind>'
XML = (
    BOMB,
    '<!DOCTYPE x SYSTEM "file:///etc/passwd"><propfind xmlns="DAV:"><allprop/></propfind>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:"><prop>&e;</prop></propfind>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]><propfind xmlns="DAV:"><allprop/></propfind>',
    '<propfind xmlns="DAV:">&undefined;</propfind>',
    '<propfind xmlns="DAV:">',
    '<propfind xmlns="DAV:"><prop></propfind></prop>',
    "<x:propfind><x:allprop/></x:propfind>",
    '<propfind xmlns="DAV:" xmlns="DAV:"/>',
    '<?xml version="1.0" encoding="utf-7"?><propfind xmlns="DAV:"/>',
    '<?xml version="1.0" encoding="no-such-thing"?><propfind xmlns="DAV:"/>',
    b'<propfind xmlns="DAV:">\xff\xfe</propfind>',
    b'<propfind xmlns="DAV:">\x00</propfind>',
    b"\xff\xfe<\x00",
    b"\x00" * 100,
    "hello",
)
LARGE = ("<x>" * 100_000, f'<propfind xmlns="DAV:">{"<a/>" * 60_000}</propfind>', f"<x{' a' * 9}>" + "y" * 5_000_000)


@pytest.mark.parametrize("document", range(len(XML)))
def test_documents_that_are_refused(document: int) -> None:
    data = XML[document]
    with pytest.raises(XmlError):
        read_xml(data.encode() if isinstance(data, str) else data, XmlBounds())


def test_documents_that_are_too_large() -> None:
    for data in LARGE[:2]:
        with pytest.raises(XmlLimitError):
            read_xml(data.encode(), XmlBounds())


async def test_every_method_refuses_such_documents(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    before = await alice.sync(path)
    for method in ("PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "LOCK"):
        target = f"{alice.calendars}new/" if method == "MKCALENDAR" else path
        for data in XML:
            refused = await alice(method, target, data, depth="0", content_type="application/xml")
            assert refused.status in (400, 415), (method, data)
        for data in LARGE:
            refused = await alice(method, target, data, depth="0", content_type="application/xml")
            assert refused.status == 413, method
    assert (await alice.propfind(f"{alice.calendars}new/", "resourcetype")).status == 404
    assert (await alice.sync(path, before.sync_token)).responses() == {}


@pytest.fixture
def settings() -> Settings:
    return Settings(dav=DavSettings(object_size=100_000, collections=5, properties=3, property_size=1000, locks=2))


async def test_objects_are_bounded(alice: DavClient) -> None:
    path = f"{alice.calendars}default/x.ics"
    refused = await alice.put(path, calendar(event("x", end=f"SUMMARY:{'x' * 100_000}")))
    assert (refused.status, refused.condition) == (403, f"{C}max-resource-size")
    assert refused.headers["connection"] == "close"
    refused = await alice.put(f"{alice.contacts}default/x.vcf", card("x", "x" * 100_000))
    assert refused.condition == f"{A}max-resource-size"
    for number in range(3):
        made = await alice("MKCALENDAR", f"{alice.calendars}{number}/")
        assert made.status == 201
    full = await alice("MKCALENDAR", f"{alice.calendars}more/")
    assert (full.status, full.condition) == (507, f"{D}quota-not-exceeded")


async def test_properties_and_locks_are_bounded(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"

    def update(inner: str) -> str:
        return f'<propertyupdate xmlns="DAV:"><set><prop>{inner}</prop></set></propertyupdate>'

    large = await alice("PROPPATCH", path, update(f'<x xmlns="urn:x">{"y" * 2000}</x>'))
    assert list(large.properties(path, 507)) == ["{urn:x}x"]
    many = await alice("PROPPATCH", path, update("".join(f'<x{n} xmlns="urn:x"/>' for n in range(5))))
    assert len(many.properties(path, 507)) == 5
    body = '<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>'
    assert [(await alice("LOCK", path, body)).status for _ in range(3)] == [200, 200, 429]


ZONES = "".join(
    f"BEGIN:VTIMEZONE\r\nTZID:Z{number}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
    "TZOFFSETTO:+0100\r\nRRULE:FREQ=DAILY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    for number in range(50)
)
BOMBS = (
    "RRULE:FREQ=SECONDLY",
    "RRULE:FREQ=MINUTELY;INTERVAL=1",
    "RRULE:FREQ=SECONDLY;COUNT=999999999",
    "RRULE:FREQ=HOURLY;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5",
    "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13",
    "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "RRULE:FREQ=YEARLY;BYSECOND=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYHOUR=0,1,2,3,4,5,6,7,8,9"
    ";BYDAY=MO,TU,WE,TH,FR,SA,SU",
)


async def test_rules_that_never_end_are_not_followed(alice: DavClient) -> None:
    path = f"{alice.calendars}default/x.ics"
    for number, rule in enumerate(BOMBS):
        refused = await alice.put(path, calendar(event("x", "DTSTART:20260101T000000Z", rule)))
        if refused.status == 201:  # a rule that never comes true costs nobody anything
            assert "DAILY" in rule, number
            await alice("DELETE", path)
            continue
        assert (refused.status, refused.condition) == (403, f"{C}max-instances"), rule
    named = "TZID=Z{0}:20260101T000000"
    changed = (event("x", f"DTSTART;{named.format(n)}", f"RECURRENCE-ID;{named.format(n)}") for n in range(50))
    zones = calendar(ZONES.rstrip("\r\n"), *changed)
    refused = await alice.put(path, zones)
    assert (refused.status, refused.condition) == (403, f"{C}valid-calendar-data")
    assert (await alice("GET", path)).status == 404


async def test_an_answer_expands_no_more_than_is_allowed(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    await alice.put(f"{path}x.ics", calendar(event("x", "DTSTART:20000101T000000Z", "RRULE:FREQ=HOURLY")))
    await alice.put(f"{path}y.ics", calendar(event("y", "DTSTART:20000101T000000Z", "RRULE:FREQ=YEARLY")))
    asked = (
        '<prop><C:calendar-data><C:expand start="20000101T000000Z" end="20400101T000000Z"/></C:calendar-data></prop>'
    )
    found = await alice.report(
        path, "C:calendar-query", f'{asked}<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
    )
    assert f"{C}calendar-data" in found.properties(f"{path}x.ics", 404)
    assert found.text(f"{path}y.ics", f"{C}calendar-data").count("BEGIN:VEVENT") == 40


async def test_characters_that_xml_has_not_leave_an_answer_readable(alice: DavClient) -> None:
    path = f"{alice.calendars}default/x.ics"
    odd = calendar(event("x", "DTSTART:20260101T000000Z", "SUMMARY:a\x0bb\x00c\ufffed]]>&lt;<x>"))
    assert (await alice.put(path, odd)).status == 201
    assert (await alice("GET", path)).body == odd.encode()
    found = await alice.report(
        f"{alice.calendars}default/", "C:calendar-multiget", f"<prop><C:calendar-data/></prop><href>{path}</href>"
    )
    told = found.text(path, f"{C}calendar-data")
    assert told == odd.replace("\x0b", "\ufffd").replace("\x00", "\ufffd").replace("\ufffe", "\ufffd")
