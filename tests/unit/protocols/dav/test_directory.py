"""The domain's accounts as an address book."""

from pathlib import Path

import pytest

from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.settings import Settings
from support.dav import A, D, DavClient, DavHouse, card, dav_house


@pytest.fixture
def settings() -> Settings:
    return Settings(dav=DavSettings(directory="domain"))


async def test_accounts_of_the_domain_are_found_and_stay_as_they_are(house: DavHouse, alice: DavClient) -> None:
    path = f"{alice.contacts}directory/"
    books = await alice.propfind(alice.contacts, "displayname", "current-user-privilege-set", depth="1")
    assert books.text(path, f"{D}displayname") == "example.test"
    privileges = {one.children[0].tag for one in books.properties(path)[f"{D}current-user-privilege-set"].children}
    assert f"{D}read" in privileges
    assert not privileges & {f"{D}write", f"{D}bind", f"{D}unbind", f"{D}all"}
    found = await alice.report(
        path,
        "A:addressbook-query",
        '<prop><getetag/><A:address-data/></prop><A:filter><A:prop-filter name="EMAIL"><A:text-match>bob@</A:text-match>'
        "</A:prop-filter></A:filter>",
    )
    ((href, _),) = found.responses().items()
    data = found.text(href, f"{A}address-data")
    assert "EMAIL;TYPE=INTERNET:bob@example.test" in data
    seen = await alice("GET", href)
    assert (seen.body.decode(), seen.etag) == (data, found.text(href, f"{D}getetag"))
    synced = await alice.sync(path)
    assert len(synced.responses()) == 2
    assert (await alice.sync(path, synced.sync_token)).responses() == {}
    await house.made.add_account("carol@example.test")
    assert (await alice.sync(path, synced.sync_token)).condition == f"{D}valid-sync-token"
    assert (await alice.put(href, card("x", "X"))).status == 403
    assert (await alice.put(f"{path}new.vcf", card("x", "X"))).status == 403
    for method in ("DELETE", "PROPPATCH", "LOCK", "MOVE"):
        body = {
            "PROPPATCH": "<propertyupdate xmlns='DAV:'><set><prop><displayname>x</displayname></prop></set></propertyupdate>",
            "LOCK": "<lockinfo xmlns='DAV:'><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>",
        }.get(method, "")
        for target in (href, path):
            refused = await alice(method, target, body, destination=f"{alice.contacts}default/x.vcf")
            assert refused.status == 403, (method, target)
    copied = await alice("COPY", href, destination=f"{alice.contacts}default/bob.vcf")
    assert copied.status == 201


async def test_without_the_setting_there_is_none(tmp_path: Path) -> None:
    async with dav_house(tmp_path) as house:
        alice = house.client()
        assert (await alice.propfind(f"{alice.contacts}directory/", "displayname")).status == 404
