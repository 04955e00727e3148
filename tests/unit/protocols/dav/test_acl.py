"""ACL (RFC 3744): sharing as access control, by its owner over DAV."""

import pytest

from support.dav import NAMESPACES, D, DavClient, Reply, calendar, event
from unit.protocols.dav.test_sharing import ALICE, BOB, Sharing, shared, sharing

__all__ = ["sharing"]
DATA = calendar(event("one"))


def ace(principal: str, *privileges: str) -> str:
    granted = "".join(f"<privilege><{one}/></privilege>" for one in privileges)
    return f"<ace><principal>{principal}</principal><grant>{granted}</grant></ace>"


def of(address: str) -> str:
    return f"<href>/dav/{address}/</href>"


async def setting(client: DavClient, path: str, *aces: str) -> Reply:
    return await client("ACL", path, f"<acl {NAMESPACES}>{''.join(aces)}</acl>")


@pytest.fixture
async def path(sharing: Sharing) -> str:
    await sharing.alice.put(f"{sharing.alice.calendars}default/one.ics", DATA)
    return f"{sharing.alice.calendars}default/"


async def test_a_grant_is_a_share(sharing: Sharing, path: str) -> None:
    alice, bob = sharing.alice, sharing.bob
    assert (await setting(alice, path, ace(of(BOB), "read"))).status == 200
    place = await shared(bob, bob.calendars)
    assert place is not None
    assert (await bob("GET", f"{place}one.ics")).status == 200
    assert (await bob.put(f"{place}two.ics", calendar(event("two")))).status == 403
    shown = await alice.propfind(path, "acl")
    entries = shown.properties(path)[f"{D}acl"].all(f"{D}ace")
    assert [entry.first(f"{D}protected") is not None for entry in entries] == [True, False]

    # what was read is set again with more: the entries that cannot be changed are no obstacle
    owner = ace("<property><owner/></property>", "all").replace("</ace>", "<protected/></ace>")
    assert (await setting(alice, path, owner, ace(of(BOB), "read", "write"))).status == 200
    assert (await bob.put(f"{place}two.ics", calendar(event("two")))).status == 201
    (share,) = await sharing.shares.with_sharee((await sharing.house.made.mailbox(BOB)).id)
    assert share.rights == "write"

    names = "<acl-principal-prop-set xmlns='DAV:'><prop><displayname/></prop></acl-principal-prop-set>"
    reply = await alice("REPORT", path, names, depth="0")
    assert set(reply.responses()) == {f"/dav/{ALICE}/", f"/dav/{BOB}/"}
    assert (await setting(alice, path, owner)).status == 200
    assert await shared(bob, bob.calendars) is None
    assert (await bob("GET", f"{place}one.ics")).status == 404


@pytest.mark.parametrize(
    ("entry", "condition"),
    [
        (f"<ace><principal>{of(BOB)}</principal><deny><privilege><read/></privilege></deny></ace>", "grant-only"),
        (f"<ace><invert><principal>{of(BOB)}</principal></invert><grant/></ace>", "no-invert"),
        (ace("<all/>", "read"), "allowed-principal"),
        (ace("<authenticated/>", "read"), "allowed-principal"),
        (ace(of("nobody@example.test"), "read"), "recognized-principal"),
        (ace("<href>/elsewhere/</href>", "read"), "recognized-principal"),
        (ace(of(BOB), "read-acl"), "not-supported-privilege"),
        (ace(of(BOB), "all"), "no-ace-conflict"),
        (ace(of(BOB), "read", "bind"), "no-ace-conflict"),
        (ace(of(BOB), "C:read-free-busy"), "no-ace-conflict"),
    ],
)
async def test_refusals(sharing: Sharing, path: str, entry: str, condition: str) -> None:
    await setting(sharing.alice, path, ace(of(BOB), "read"))
    reply = await setting(sharing.alice, path, entry)
    assert (reply.status, reply.condition) == (403, f"{D}{condition}")
    assert await shared(sharing.bob, sharing.bob.calendars) is not None


async def test_it_is_the_owners_to_set(sharing: Sharing, path: str) -> None:
    await setting(sharing.alice, path, ace(of(BOB), "read", "write"))
    place = await shared(sharing.bob, sharing.bob.calendars)
    assert place is not None
    reply = await setting(sharing.bob, place, ace(of(BOB), "read"))
    assert (reply.status, reply.condition) == (403, f"{D}need-privileges")
    seen = (await sharing.bob.propfind(place, "acl")).properties(place)[f"{D}acl"]
    assert len(seen.all(f"{D}ace")) == 1
    for elsewhere in (f"{path}one.ics", sharing.alice.calendars, f"/dav/{ALICE}/inbox/"):
        assert (await setting(sharing.alice, elsewhere, ace(of(BOB), "read"))).status == 403
    options = await sharing.alice("OPTIONS", path)
    assert "access-control" in options.headers["dav"]
    assert "ACL" in options.headers["allow"].split(", ")
