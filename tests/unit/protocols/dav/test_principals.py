"""Reports about principals, and properties of what properties point to."""

from support.dav import C, D, DavClient


async def test_properties_are_expanded(alice: DavClient) -> None:
    found = await alice.report(
        "/dav/",
        "expand-property",
        '<property name="current-user-principal"><property name="displayname"/>'
        '<property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"><property name="resourcetype"/>'
        "</property></property>",
        "0",
    )
    principal = found.properties("/dav/")[f"{D}current-user-principal"].first(f"{D}response")
    assert principal is not None
    assert principal.text_of(f"{D}href") == f"/dav/{alice.address}/"
    body = found.body.decode()
    assert f"<D:href>{alice.calendars}</D:href><D:propstat>" in body
    endless = '<property name="current-user-principal">' * 20 + "</property>" * 20
    assert (await alice.report("/dav/", "expand-property", endless, "0")).status == 403


async def test_principals_are_searched(alice: DavClient) -> None:
    own = f"/dav/{alice.address}/"

    def search(name: str, text: str, more: str = "") -> str:
        return (
            f"<property-search><prop><{name}/></prop><match>{text}</match></property-search>{more}"
            "<prop><displayname/></prop>"
        )

    found = await alice.report("/dav/", "principal-property-search", search("displayname", "ALICE"), "0")
    assert found.text(own, f"{D}displayname") == alice.address
    found = await alice.report("/dav/", "principal-property-search", search("C:calendar-user-address-set", "bob@"), "0")
    assert found.responses() == {}
    found = await alice.report("/dav/", "principal-property-search", search("getetag", "x"), "0")
    assert found.responses() == {}
    told = await alice.report("/dav/", "principal-search-property-set", "", "0")
    assert (told.status, C in told.body.decode()) == (200, False)
    assert b"displayname" in told.body


async def test_who_one_is_and_who_owns_what(alice: DavClient) -> None:
    own = f"/dav/{alice.address}/"
    found = await alice.report("/dav/", "principal-match", "<self/><prop><principal-URL/></prop>", "0")
    assert list(found.responses()) == [own]
    found = await alice.report(
        alice.calendars, "principal-match", "<principal-property><owner/></principal-property><prop/>", "0"
    )
    assert list(found.responses()) == [alice.calendars]
    found = await alice.report(
        f"{alice.calendars}default/", "acl-principal-prop-set", "<prop><displayname/></prop>", "0"
    )
    assert list(found.responses()) == [own]
