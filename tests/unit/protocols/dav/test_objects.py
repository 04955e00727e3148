"""Objects: stored and given back byte for byte, or refused by the precondition that the standard names."""

from support.dav import A, C, D, DavClient, calendar, card, event

PLAIN = calendar(event("one"))


async def test_what_was_put_comes_back_as_it_was(alice: DavClient) -> None:
    odd = calendar(event("one", "DTSTART:20260105T100000Z", "SUMMARY:a", " b", 'X-ODD;Q="a;b":\tx  ')).replace(
        "VERSION:2.0\r\n", "VERSION:2.0\n"
    )
    made = await alice.put(f"{alice.calendars}default/one.ics", odd, if_none_match="*")
    assert (made.status, made.headers["etag"][0]) == (201, '"')
    found = await alice("GET", f"{alice.calendars}default/one.ics")
    assert (found.status, found.body, found.etag) == (200, odd.encode(), made.etag)
    assert found.headers["content-type"] == "text/calendar; charset=utf-8; component=vevent"
    head = await alice("HEAD", f"{alice.calendars}default/one.ics")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(odd)))
    seen = await alice.report(
        f"{alice.calendars}default/",
        "C:calendar-multiget",
        f"<prop><getetag/><C:calendar-data/></prop><href>{alice.calendars}default/one.ics</href>",
    )
    properties = seen.properties(f"{alice.calendars}default/one.ics")
    assert properties[f"{C}calendar-data"].text == odd
    assert properties[f"{D}getetag"].text == made.etag
    vcard = card("c", "Zoë", "NOTE:x\\,y", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/")
    assert (await alice.put(f"{alice.contacts}default/c.vcf", vcard)).status == 201
    assert (await alice("GET", f"{alice.contacts}default/c.vcf")).body == vcard.encode()


async def test_an_object_changes_under_its_etag_alone(alice: DavClient) -> None:
    path = f"{alice.calendars}default/one.ics"
    first = (await alice.put(path, PLAIN)).etag
    assert (await alice.put(path, PLAIN, if_none_match="*")).status == 412
    assert (await alice.put(path, PLAIN, if_match='"other"')).status == 412
    changed = await alice.put(path, calendar(event("one", "DTSTART:20260106T100000Z")), if_match=first)
    assert changed.status == 204
    assert changed.etag != first
    assert (await alice("DELETE", path, if_match=first)).status == 412
    assert (await alice("GET", path, if_none_match=changed.etag)).status == 304
    assert (await alice("GET", path, if_none_match='"other"')).status == 200
    assert (await alice("GET", path, if_match='"other"')).status == 412
    assert (await alice("DELETE", path, if_match=f'"x", {changed.etag}')).status == 204
    assert (await alice("GET", path)).status == 404
    assert (await alice("DELETE", path)).status == 404
    assert (await alice.put(path, PLAIN, if_match="*")).status == 412


async def test_no_two_objects_of_a_collection_have_one_uid(alice: DavClient) -> None:
    assert (await alice.put(f"{alice.calendars}default/one.ics", PLAIN)).status == 201
    refused = await alice.put(f"{alice.calendars}default/two.ics", PLAIN)
    assert (refused.status, refused.condition) == (409, f"{C}no-uid-conflict")
    assert refused.xml.children[0].text_of(f"{D}href") == f"{alice.calendars}default/one.ics"
    assert (await alice.put(f"{alice.contacts}default/one.vcf", card("one", "One"))).status == 201
    refused = await alice.put(f"{alice.contacts}default/two.vcf", card("one", "One"))
    assert refused.condition == f"{A}no-uid-conflict"


REFUSED: list[tuple[str, bytes | str, str]] = [
    ("not iCalendar", "hello", "valid-calendar-data"),
    ("empty", " ", "valid-calendar-data"),
    ("not UTF-8", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX:\xff\r\nEND:VCALENDAR\r\n", "valid-calendar-data"),
    ("cut off", PLAIN[:-20], "valid-calendar-data"),
    ("no UID", calendar(event("")), "valid-calendar-object-resource"),
    ("two UIDs", calendar(event("a"), event("b")), "valid-calendar-object-resource"),
    ("METHOD", PLAIN.replace("PRODID", "METHOD:REQUEST\r\nPRODID"), "valid-calendar-object-resource"),
    ("no component", calendar(), "valid-calendar-object-resource"),
    ("a bad date", calendar(event("a", "DTSTART:2026-01-05")), "valid-calendar-data"),
    ("a bad rule", calendar(event("a", "DTSTART:20260105T100000Z", "RRULE:FREQ=NEVER")), "valid-calendar-data"),
    ("two calendars", PLAIN + PLAIN, "valid-calendar-data"),
    ("a task", calendar("BEGIN:VTODO", "UID:t", "END:VTODO"), "supported-calendar-component"),
    ("every second", calendar(event("a", "DTSTART:20260105T100000Z", "RRULE:FREQ=SECONDLY")), "max-instances"),
    (
        "never",
        calendar(event("a", "DTSTART:20260105T100000Z", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30")),
        "max-instances",
    ),
    (
        "deep",
        calendar(*["BEGIN:X"] * 50, *["END:X"] * 50),
        "valid-calendar-data",
    ),
]


async def test_what_is_no_calendar_object_is_refused(alice: DavClient) -> None:
    for name, data, condition in REFUSED:
        path = f"{alice.calendars}default/x.ics"
        refused = await alice.put(path, data)
        assert (refused.status, refused.condition) == (403, f"{C}{condition}"), name
        assert (await alice("GET", path)).status == 404


async def test_kinds_of_content_are_kept_apart(alice: DavClient) -> None:
    wrong = await alice.put(f"{alice.calendars}default/x.ics", PLAIN, content_type="text/html")
    assert (wrong.status, wrong.condition) == (415, f"{C}supported-calendar-data")
    wrong = await alice.put(f"{alice.contacts}default/x.vcf", card("x", "X"), content_type="text/calendar")
    assert (wrong.status, wrong.condition) == (415, f"{A}supported-address-data")
    for data in (PLAIN, card("", "X"), card("x", "X", version="2.1"), card("x", "X") * 2):
        wrong = await alice.put(f"{alice.contacts}default/x.vcf", data)
        assert (wrong.status, wrong.condition) == (403, f"{A}valid-address-data")


async def test_an_object_is_in_a_collection(alice: DavClient) -> None:
    assert (await alice.put(f"{alice.calendars}none/x.ics", PLAIN)).status == 409
    assert (await alice.put(f"{alice.calendars}x.ics", PLAIN)).status == 409
    assert (await alice.put(f"{alice.calendars}default/x/y.ics", PLAIN)).status == 409
    assert (await alice.put(f"{alice.calendars}default/", PLAIN)).status == 405
    for name in ("..%2f..%2fx.ics", "%2e%2e", "a%00b", "a%5cb", "%ff", "x" * 300):
        assert (await alice.put(f"{alice.calendars}default/{name}", PLAIN)).status == 400
    assert (await alice.put(f"{alice.calendars}../contacts/default/x.ics", PLAIN)).status == 400


async def test_names_may_have_any_characters(alice: DavClient) -> None:
    path = f"{alice.calendars}default/a%20%C3%A9%3F%23%26%3C.ics"
    assert (await alice.put(path, PLAIN)).status == 201
    found = await alice.propfind(f"{alice.calendars}default/", "getetag", depth="1")
    assert f"{alice.calendars}default/a%20%C3%A9%3F%23&%3C.ics" in found.responses()
    assert (await alice("GET", path)).body == PLAIN.encode()


async def test_a_name_is_left_to_the_server(alice: DavClient) -> None:
    found = await alice.propfind(f"{alice.contacts}default/", "add-member")
    place = found.properties(f"{alice.contacts}default/")[f"{D}add-member"].text_of(f"{D}href") or ""
    made = await alice("POST", place, card("x", "X"), content_type="text/vcard")
    assert made.status == 201
    assert (await alice("GET", made.headers["location"])).etag == made.etag
    assert (await alice("POST", alice.contacts, card("y", "Y"))).status == 405


async def test_a_full_mailbox_takes_nothing_more(house, alice: DavClient) -> None:  # type: ignore[no-untyped-def]
    await house.made.set_quota("alice@example.test", 1000)
    refused = await alice.put(f"{alice.calendars}default/x.ics", calendar(event("x", end=f"SUMMARY:{'x' * 2000}")))
    assert (refused.status, refused.condition) == (507, f"{D}quota-not-exceeded")
    assert (await alice("GET", f"{alice.calendars}default/x.ics")).status == 404


async def test_a_card_comes_in_the_version_that_is_asked_for(alice: DavClient) -> None:
    path = f"{alice.contacts}default/c.vcf"
    await alice.put(
        path, card("c", "Zoë", "BDAY:1990-05-06", "TEL;TYPE=CELL,pref:+1", "PHOTO;ENCODING=b;TYPE=PNG:AAAA")
    )
    found = await alice("GET", path, accept='text/vcard; version="4.0"')
    lines = found.body.decode().split("\r\n")
    assert "VERSION:4.0" in lines
    assert "BDAY:19900506" in lines
    assert "TEL;PREF=1;TYPE=cell:+1" in lines
    assert "PHOTO:data:image/png;base64,AAAA" in lines
    assert "etag" not in found.headers
    seen = await alice.report(
        f"{alice.contacts}default/",
        "A:addressbook-multiget",
        f'<prop><A:address-data content-type="text/vcard" version="4.0"/></prop><href>{path}</href>',
    )
    assert seen.text(path, f"{A}address-data") == found.body.decode()
    refused = await alice.report(
        f"{alice.contacts}default/",
        "A:addressbook-multiget",
        f'<prop><A:address-data content-type="text/vcard" version="2.1"/></prop><href>{path}</href>',
    )
    assert refused.condition == f"{A}supported-address-data"
