"""Collections: made, described, copied, moved, deleted; properties all or nothing."""

from support.dav import APPLE, NAMESPACES, A, C, D, DavClient, calendar, card, event

ZONE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\n"
    "DTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"
)


def update(*changes: str) -> str:
    return f"<propertyupdate {NAMESPACES}>{''.join(changes)}</propertyupdate>"


def setting(inner: str) -> str:
    return f"<set><prop>{inner}</prop></set>"


async def test_a_calendar_is_made_with_its_properties(alice: DavClient) -> None:
    path = f"{alice.calendars}work/"
    made = await alice(
        "MKCALENDAR",
        path,
        f"<C:mkcalendar {NAMESPACES}>"
        + setting(
            "<displayname>Work &amp; more</displayname><C:calendar-description>d</C:calendar-description>"
            "<I:calendar-color>#FF0000FF</I:calendar-color><I:calendar-order>3</I:calendar-order>"
            f"<C:calendar-timezone>{ZONE}</C:calendar-timezone>"
            '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
        )
        + "</C:mkcalendar>",
    )
    assert made.status == 201
    found = await alice.propfind(
        path,
        "displayname",
        "I:calendar-color",
        "I:calendar-order",
        "C:supported-calendar-component-set",
        "resourcetype",
    )
    assert found.text(path, f"{D}displayname") == "Work & more"
    assert found.text(path, f"{APPLE}calendar-color") == "#FF0000FF"
    assert (await alice.put(f"{path}t.ics", calendar("BEGIN:VTODO", "UID:t", "END:VTODO"))).status == 403
    assert (await alice.put(f"{path}e.ics", calendar(event("e")))).status == 201
    again = await alice("MKCALENDAR", path)
    assert (again.status, again.condition) == (405, f"{D}resource-must-be-null")
    assert (await alice("MKCALENDAR", f"{alice.calendars}no/such/")).status == 409
    wrong = await alice("MKCALENDAR", f"{alice.contacts}x/")
    assert (wrong.status, wrong.condition) == (403, f"{C}calendar-collection-location-ok")


async def test_collections_are_made_by_extended_mkcol(alice: DavClient) -> None:
    body = f"<mkcol {NAMESPACES}>{setting('<resourcetype><collection/>{}</resourcetype><displayname>X</displayname>')}</mkcol>"
    made = await alice("MKCOL", f"{alice.contacts}x/", body.format("<A:addressbook/>"))
    assert made.status == 201
    assert (await alice("MKCOL", f"{alice.calendars}x/", body.format("<C:calendar/>"))).status == 201
    wrong = await alice("MKCOL", f"{alice.calendars}y/", body.format("<A:addressbook/>"))
    assert (wrong.status, wrong.condition) == (403, f"{D}valid-resourcetype")
    assert (await alice.put(f"{alice.contacts}x/c.vcf", card("c", "C"))).status == 201
    assert (await alice("MKCOL", f"{alice.contacts}z/", "text", content_type="text/plain")).status == 415
    assert (await alice("MKCOL", f"{alice.contacts}z/")).status == 201


async def test_a_collection_that_cannot_be_made_as_asked_is_not_made(alice: DavClient) -> None:
    path = f"{alice.calendars}x/"
    body = f"<C:mkcalendar {NAMESPACES}>{setting('<getetag>x</getetag><displayname>X</displayname>')}</C:mkcalendar>"
    refused = await alice("MKCALENDAR", path, body)
    assert refused.status == 424
    assert b"403" in refused.body
    assert b"424" in refused.body
    assert (await alice.propfind(path, "displayname")).status == 404


async def test_properties_change_all_or_none(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    done = await alice(
        "PROPPATCH",
        path,
        update(setting("<displayname>Neu</displayname>"), setting('<x xmlns="urn:x" a="1"><y/>t</x>')),
    )
    assert set(done.properties(path)) == {f"{D}displayname", "{urn:x}x"}
    refused = await alice(
        "PROPPATCH",
        path,
        update(
            "<remove><prop><x xmlns='urn:x'/></prop></remove>",
            setting("<displayname>Z</displayname><getcontentlength>1</getcontentlength><resourcetype/>"),
        ),
    )
    assert set(refused.properties(path, 424)) == {f"{D}displayname", "{urn:x}x"}
    assert set(refused.properties(path, 403)) == {f"{D}resourcetype", f"{D}getcontentlength"}
    found = await alice.propfind(path, "displayname")
    assert found.text(path, f"{D}displayname") == "Neu"
    found = await alice(
        "PROPFIND", path, f"<propfind {NAMESPACES}><prop><x xmlns='urn:x'/></prop></propfind>", depth="0"
    )
    (kept,) = found.properties(path).values()
    assert (kept.attributes, [one.tag for one in kept.children], kept.children[0].tail) == (
        {"a": "1"},
        ["{urn:x}y"],
        "t",
    )
    for wrong in (
        "<I:calendar-color>no color at all!</I:calendar-color>",
        "<C:calendar-timezone>x</C:calendar-timezone>",
        "<C:calendar-timezone-id>Nowhere/Land</C:calendar-timezone-id>",
    ):
        found = await alice("PROPPATCH", path, update(setting(wrong)))
        assert not found.properties(path), wrong


async def test_a_short_answer_is_given_when_it_is_preferred(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    found = await alice.propfind(path, "displayname", "getetag", "I:calendar-color", prefer="return=minimal")
    assert found.properties(path, 404) == {}
    assert found.headers["preference-applied"] == "return=minimal"
    found = await alice("PROPPATCH", path, update(setting("<displayname>x</displayname>")), prefer="return=minimal")
    assert (found.status, found.body) == (200, b"")


async def test_names_and_all_properties(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    await alice("PROPPATCH", path, update(setting("<x xmlns='urn:x'>1</x>")))
    names = await alice("PROPFIND", path, f"<propfind {NAMESPACES}><propname/></propfind>", depth="0")
    assert {f"{D}displayname", f"{C}max-resource-size", "{urn:x}x"} <= set(names.properties(path))
    body = f"<propfind {NAMESPACES}><allprop/><include><C:max-resource-size/></include></propfind>"
    found = await alice("PROPFIND", path, body, depth="0")
    assert found.text(path, f"{C}max-resource-size") == str(10 * 1024 * 1024)
    assert found.text(path, "{urn:x}x") == "1"
    assert f"{D}acl" not in found.properties(path)


async def test_depth_says_how_far_an_answer_goes(alice: DavClient) -> None:
    await alice.put(f"{alice.calendars}default/a.ics", calendar(event("a")))
    own = f"/dav/{alice.address}/"
    assert list((await alice.propfind(own, "resourcetype", depth="0")).responses()) == [own]
    near = await alice.propfind(own, "resourcetype", depth="1")
    assert set(near.responses()) == {
        own,
        *(f"{own}{one}/" for one in ("calendars", "contacts", "files", "inbox", "outbox")),
    }
    far = await alice.propfind("/dav/", "resourcetype", depth="infinity")
    assert f"{alice.calendars}default/a.ics" in far.responses()
    assert (await alice.propfind(own, "resourcetype", depth="2")).status == 400


async def test_objects_and_collections_are_copied_and_moved(alice: DavClient) -> None:
    default, tasks = f"{alice.calendars}default/", f"{alice.calendars}tasks/"
    await alice.put(f"{default}a.ics", calendar(event("a")))
    await alice("MKCALENDAR", f"{alice.calendars}other/")
    other = f"{alice.calendars}other/"
    assert (await alice("COPY", f"{default}a.ics", destination=f"{other}a.ics")).status == 201
    assert (await alice("COPY", f"{default}a.ics", destination=f"{other}a.ics", overwrite="F")).status == 412
    assert (await alice("COPY", f"{default}a.ics", destination=f"{other}a.ics")).status == 204
    conflict = await alice("COPY", f"{default}a.ics", destination=f"{other}b.ics")
    assert conflict.condition == f"{C}no-uid-conflict"
    assert (await alice("COPY", f"{default}a.ics", destination=f"{tasks}a.ics")).condition == (
        f"{C}supported-calendar-component"
    )
    token = (await alice.sync(other)).sync_token
    assert (await alice("MOVE", f"{other}a.ics", destination=f"https://dav.example.test{other}b.ics")).status == 201
    changed = await alice.sync(other, token)
    assert (changed.status_of(f"{other}a.ics"), f"{other}b.ics" in changed.responses()) == (404, True)
    assert (await alice("MOVE", other, destination=f"{alice.calendars}moved/")).status == 201
    assert (await alice("GET", f"{alice.calendars}moved/b.ics")).body == calendar(event("a")).encode()
    assert (await alice.propfind(other, "resourcetype")).status == 404
    assert (await alice("COPY", f"{alice.calendars}moved/", destination=f"{alice.calendars}copied/")).status == 201
    assert (await alice("GET", f"{alice.calendars}copied/b.ics")).status == 200
    assert (await alice("MOVE", default, destination=f"{alice.contacts}x/")).status == 403
    assert (await alice("MOVE", default, destination="https://elsewhere.example/x")).status == 502
    assert (await alice("DELETE", f"{alice.calendars}copied/")).status == 204
    assert (await alice("GET", f"{alice.calendars}copied/b.ics")).status == 404
    for kept in ("/dav/", f"/dav/{alice.address}/", alice.calendars, alice.contacts):
        assert (await alice("DELETE", kept)).status == 403


async def test_collections_that_were_deleted_stay_away(alice: DavClient) -> None:
    for name in ("default", "tasks"):
        assert (await alice("DELETE", f"{alice.calendars}{name}/")).status == 204
    found = await alice.propfind(alice.calendars, "resourcetype", depth="1")
    assert list(found.responses()) == [alice.calendars]
    assert f"{A}addressbook" in {
        one.tag
        for one in (await alice.propfind(f"{alice.contacts}default/", "resourcetype"))
        .properties(f"{alice.contacts}default/")[f"{D}resourcetype"]
        .children
    }
