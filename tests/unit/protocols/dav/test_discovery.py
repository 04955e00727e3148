"""What a client finds out from a bare host name and an address."""

from pathlib import Path

from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.settings import Settings
from support.dav import APPLE, A, C, D, DavClient, DavHouse, S, calendar, card, dav_house, event

OWN = "/dav/alice@example.test/"


async def test_a_client_finds_its_way_from_the_root_to_its_collections(alice: DavClient) -> None:
    found = await alice.propfind("/", "current-user-principal", "resourcetype", "principal-collection-set")
    (principal,) = found.properties("/")[f"{D}current-user-principal"].children
    assert principal.text == OWN
    found = await alice.propfind(
        principal.text,
        "C:calendar-home-set",
        "A:addressbook-home-set",
        "C:calendar-user-address-set",
        "displayname",
        "resourcetype",
        "principal-URL",
        "S:email-address-set",
    )
    properties = found.properties(OWN)
    assert properties[f"{C}calendar-home-set"].text_of(f"{D}href") == f"{OWN}calendars/"
    assert properties[f"{A}addressbook-home-set"].text_of(f"{D}href") == f"{OWN}contacts/"
    assert properties[f"{C}calendar-user-address-set"].text_of(f"{D}href") == "mailto:alice@example.test"
    assert properties[f"{S}email-address-set"].text_of(f"{S}email-address") == "alice@example.test"
    assert {one.tag for one in properties[f"{D}resourcetype"].children} == {f"{D}collection", f"{D}principal"}
    homes = await alice.propfind(f"{OWN}calendars/", "resourcetype", "displayname", depth="1")
    assert list(homes.responses()) == [f"{OWN}calendars/", f"{OWN}calendars/default/", f"{OWN}calendars/tasks/"]
    kinds = homes.properties(f"{OWN}calendars/default/")[f"{D}resourcetype"].children
    assert {one.tag for one in kinds} == {f"{D}collection", f"{C}calendar"}
    books = await alice.propfind(f"{OWN}contacts/", "resourcetype", depth="1")
    assert f"{OWN}contacts/default/" in books.responses()


async def test_a_calendar_says_what_it_takes(alice: DavClient) -> None:
    path = f"{alice.calendars}tasks/"
    found = await alice.propfind(
        path,
        "C:supported-calendar-component-set",
        "C:supported-calendar-data",
        "C:max-resource-size",
        "supported-report-set",
        "current-user-privilege-set",
        "quota-available-bytes",
        "quota-used-bytes",
        "owner",
        "acl",
        "I:calendar-color",
    )
    properties = found.properties(path)
    components = properties[f"{C}supported-calendar-component-set"].children
    assert [one.attributes["name"] for one in components] == ["VTODO"]
    reports = {one.children[0].children[0].tag for one in properties[f"{D}supported-report-set"].children}
    assert {f"{D}sync-collection", f"{C}calendar-query", f"{C}calendar-multiget", f"{C}free-busy-query"} <= reports
    assert f"{A}addressbook-query" not in reports
    privileges = {one.children[0].tag for one in properties[f"{D}current-user-privilege-set"].children}
    assert {f"{D}all", f"{D}read", f"{D}write"} <= privileges
    assert int(properties[f"{D}quota-available-bytes"].text) > 10**9
    assert f"{APPLE}calendar-color" in found.properties(path, 404)


async def test_well_known_places_lead_to_the_root(alice: DavClient) -> None:
    for path in ("/.well-known/caldav", "/.well-known/carddav", "/.well-known/caldav/"):
        for method in ("GET", "PROPFIND"):
            found = await alice(method, path, authorization="")
            assert (found.status, found.headers["location"]) == (301, "/dav/")


async def test_who_does_not_log_in_learns_nothing_but_what_the_server_can_do(alice: DavClient) -> None:
    found = await alice("OPTIONS", "/dav/", authorization="")
    assert found.status == 200
    assert "calendar-access" in found.headers["dav"]
    for method in ("GET", "PROPFIND", "PUT", "REPORT", "DELETE"):
        for path in ("/dav/", alice.calendars, "/dav/nobody@example.test/"):
            refused = await alice(method, path, authorization="")
            assert refused.status == 401
            assert refused.headers["www-authenticate"].startswith("Basic ")
    wrong = await alice("PROPFIND", "/dav/", authorization="Basic d3Jvbmc6d3Jvbmc=")
    assert wrong.status == 401


async def test_what_is_anothers_does_not_exist(alice: DavClient, house: DavHouse) -> None:
    bob = house.client("bob@example.test")
    assert (await bob.put(f"{bob.calendars}default/x.ics", calendar(event("x")))).status == 201
    assert (await bob.put(f"{bob.contacts}default/x.vcf", card("x", "X"))).status == 201
    for path in (
        bob.calendars,
        f"{bob.calendars}default/",
        f"{bob.calendars}default/x.ics",
        f"{bob.contacts}default/x.vcf",
        "/dav/bob@example.test/",
        "/dav/nobody@example.test/",
        "/dav/nobody@example.test/calendars/",
    ):
        for method in ("GET", "PROPFIND", "DELETE", "PROPPATCH", "REPORT", "LOCK"):
            body = "<propfind xmlns='DAV:'><allprop/></propfind>" if method == "PROPFIND" else ""
            if method == "PROPPATCH":
                body = (
                    "<propertyupdate xmlns='DAV:'><set><prop><displayname>x</displayname></prop></set></propertyupdate>"
                )
            if method == "REPORT":
                body = "<sync-collection xmlns='DAV:'><sync-token/><sync-level>1</sync-level></sync-collection>"
            found = await alice(method, path, body, depth="0")
            assert found.status in (404, 400), (method, path, found)
    stolen = await alice.put(f"{bob.calendars}default/y.ics", calendar(event("y")))
    assert stolen.status == 404
    moved = await alice("MOVE", f"{alice.calendars}default/", destination=f"{bob.calendars}mine/")
    assert moved.status == 404


async def test_app_and_account_passwords_open_and_a_changed_one_does_not(house: DavHouse) -> None:
    assert (await house.client().propfind("/dav/", "resourcetype")).status == 207
    assert (await house.client(password="not-it").propfind("/dav/", "resourcetype")).status == 401
    await house.made.disable("alice@example.test", 550)
    assert (await house.client().propfind("/dav/", "resourcetype")).status == 401


async def test_failed_logins_are_counted(tmp_path: Path) -> None:
    settings = Settings(login=LoginSettings(failures_per_account=3))
    async with dav_house(tmp_path, settings) as house:
        wrong = house.client(password="aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaaa")
        assert [(await wrong.propfind("/dav/", "resourcetype")).status for _ in range(4)] == [401, 401, 401, 429]


async def test_pages_of_other_sites_cannot_ask(alice: DavClient) -> None:
    found = await alice.propfind("/dav/", "resourcetype", origin="https://evil.example")
    assert found.status == 403
    assert "access-control-allow-origin" not in found.headers
    own = await alice.propfind("/dav/", "resourcetype", origin="https://dav.example.test")
    assert own.status == 207
