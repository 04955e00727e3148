"""Collections shared between accounts, as each of them sees them."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from mailstead.protocols.dav.sharing import SharedAccess
from mailstead.stores.sharing.shares import Rights, Shares
from mailstead.stores.sharing.subscriptions import Subscriptions
from support.dav import NAMESPACES, D, DavClient, DavHouse, calendar, card, dav_house, event

ALICE, BOB = "alice@example.test", "bob@example.test"
NAMES = f"<propfind {NAMESPACES}><prop><displayname/><owner/><current-user-privilege-set/></prop></propfind>"

NAMED = f"<propertyupdate {NAMESPACES}><set><prop><displayname>Days</displayname></prop></set></propertyupdate>"
SYNC = f"<sync-collection {NAMESPACES}><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
FILTER = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
QUERY = f"<C:calendar-query {NAMESPACES}><prop><getetag/></prop>{FILTER}</C:calendar-query>"


class Sharing:
    """Two accounts, and what they share."""

    def __init__(self, house: DavHouse, shares: Shares, subscriptions: Subscriptions) -> None:
        self.house = house
        self.shares = shares
        self.subscriptions = subscriptions
        self.alice, self.bob = house.client(ALICE), house.client(BOB)

    async def share(self, kind: str = "calendar", rights: Rights = "read") -> None:
        owner, sharee = await self.house.made.mailbox(ALICE), await self.house.made.mailbox(BOB)
        collection = owner.dav.collections(kind)[0]  # type: ignore[arg-type] # of the tests' own
        await self.shares.give(owner.id, kind, collection.id, sharee.id, rights)  # type: ignore[arg-type]

    async def take_back(self) -> None:
        owner = await self.house.made.mailbox(ALICE)
        for share in await self.shares.of_owner(owner.id):
            assert await self.shares.take_back(owner.id, share.collection_id, share.sharee) == 1


@pytest.fixture
async def sharing(tmp_path: Path) -> AsyncIterator[Sharing]:
    access = LateAccess()
    async with dav_house(tmp_path, access=access) as house:
        shares = Shares(house.made.documents, house.made.clock)
        subscriptions = Subscriptions(house.made.documents, house.made.clock)
        access.set(shares, subscriptions)
        yield Sharing(house, shares, subscriptions)


class LateAccess(SharedAccess):
    """Made before its stores are open."""

    def __init__(self) -> None:
        pass

    def set(self, shares: Shares, subscriptions: Subscriptions) -> None:
        super().__init__(shares, subscriptions)


async def shared(client: DavClient, home: str) -> str | None:
    """The path of what another shares, in a home."""
    reply = await client("PROPFIND", home, NAMES, depth="1")
    found = [href for href in reply.responses() if "/shared-" in href]
    return found[0] if found else None


async def test_a_calendar_is_read_by_its_sharee(sharing: Sharing) -> None:
    data = calendar(event("one"))
    await sharing.alice("PUT", f"{sharing.alice.calendars}default/one.ics", data)
    assert await shared(sharing.bob, sharing.bob.calendars) is None
    await sharing.share()
    path = await shared(sharing.bob, sharing.bob.calendars)
    assert path is not None
    found = (await sharing.bob("PROPFIND", path, NAMES, depth="0")).properties(path)
    assert found[f"{D}displayname"].text == f"Calendar ({ALICE})"
    assert found[f"{D}owner"].text_of(f"{D}href") == f"/dav/{ALICE}/"
    rights = {one.children[0].tag for one in found[f"{D}current-user-privilege-set"].children}
    assert f"{D}read" in rights
    assert not rights & {f"{D}write", f"{D}write-content", f"{D}bind", f"{D}unbind", f"{D}all", f"{D}write-acl"}
    assert (await sharing.bob("GET", f"{path}one.ics")).body == data.encode()
    for method, target, body in (
        ("PUT", f"{path}two.ics", calendar(event("two"))),
        ("PUT", f"{path}one.ics", calendar(event("one", "DTSTART:20260106T100000Z"))),
        ("DELETE", f"{path}one.ics", ""),
        ("PROPPATCH", path, NAMED),
    ):
        assert (await sharing.bob(method, target, body)).status == 403, method
    assert (await sharing.alice("GET", f"{sharing.alice.calendars}default/one.ics")).body == data.encode()
    assert (await sharing.bob("PROPFIND", f"/dav/{ALICE}/", NAMES, depth="0")).status == 207
    assert (await sharing.bob("PROPFIND", sharing.alice.calendars, NAMES, depth="0")).status == 404


async def test_one_who_may_write_writes_for_both(sharing: Sharing) -> None:
    await sharing.share(rights="write")
    path = await shared(sharing.bob, sharing.bob.calendars)
    assert path is not None
    data = calendar(event("one"))
    assert (await sharing.bob("PUT", f"{path}one.ics", data)).status == 201
    assert (await sharing.alice("GET", f"{sharing.alice.calendars}default/one.ics")).body == data.encode()
    assert list((await sharing.bob("REPORT", path, SYNC)).responses()) == [f"{path}one.ics"]
    assert list((await sharing.bob("REPORT", path, QUERY, depth="1")).responses()) == [f"{path}one.ics"]
    assert (await sharing.bob("DELETE", f"{path}one.ics")).status == 204
    assert (await sharing.alice("GET", f"{sharing.alice.calendars}default/one.ics")).status == 404


async def test_what_is_taken_back_is_gone_at_once(sharing: Sharing) -> None:
    await sharing.alice("PUT", f"{sharing.alice.calendars}default/one.ics", calendar(event("one")))
    await sharing.share(rights="write")
    path = await shared(sharing.bob, sharing.bob.calendars)
    assert path is not None
    await sharing.share(rights="read")
    assert (await sharing.bob("PUT", f"{path}two.ics", calendar(event("two")))).status == 403
    await sharing.take_back()
    assert (await sharing.bob("GET", f"{path}one.ics")).status == 404
    assert (await sharing.bob("PUT", f"{path}two.ics", calendar(event("two")))).status in (404, 409)
    assert await shared(sharing.bob, sharing.bob.calendars) is None
    assert (await sharing.bob("PROPFIND", f"/dav/{ALICE}/", NAMES, depth="0")).status == 404


async def test_a_sharee_s_delete_ends_the_share_alone(sharing: Sharing) -> None:
    await sharing.alice("PUT", f"{sharing.alice.calendars}default/one.ics", calendar(event("one")))
    await sharing.share(rights="write")
    path = await shared(sharing.bob, sharing.bob.calendars)
    assert path is not None
    assert (await sharing.bob("MOVE", path, destination=f"{sharing.bob.calendars}mine/")).status == 403
    assert (await sharing.bob("DELETE", path)).status == 204
    assert await shared(sharing.bob, sharing.bob.calendars) is None
    assert (await sharing.alice("GET", f"{sharing.alice.calendars}default/one.ics")).status == 200


async def test_own_collections_do_not_replace_another_s(sharing: Sharing) -> None:
    await sharing.share(rights="write")
    path = await shared(sharing.bob, sharing.bob.calendars)
    assert path is not None
    await sharing.bob("MKCALENDAR", f"{sharing.bob.calendars}mine/")
    assert (await sharing.bob("MOVE", f"{sharing.bob.calendars}mine/", destination=path)).status == 403
    assert (await sharing.bob("PROPFIND", f"{sharing.bob.calendars}mine/", NAMES, depth="0")).status == 207
    assert (await sharing.alice("PROPFIND", f"{sharing.alice.calendars}default/", NAMES, depth="0")).status == 207


async def test_an_address_book_is_shared_likewise(sharing: Sharing) -> None:
    await sharing.alice("PUT", f"{sharing.alice.contacts}default/one.vcf", card("one", "Fay"))
    await sharing.share("addressbook", "write")
    assert await shared(sharing.bob, sharing.bob.calendars) is None
    path = await shared(sharing.bob, sharing.bob.contacts)
    assert path is not None
    assert b"FN:Fay" in (await sharing.bob("GET", f"{path}one.vcf")).body
    assert (await sharing.bob("PUT", f"{path}two.vcf", card("two", "Max"))).status == 201


async def test_a_zero_access_mailbox_shows_nothing(sharing: Sharing) -> None:
    await sharing.share()
    directory = sharing.house.made.directory
    alias = await directory.alias(ALICE)
    assert alias is not None
    slots = tuple(one for one in alias.slots if one.kind != "server")
    await directory.replace(msgspec.structs.replace(alias, slots=slots))
    assert await shared(sharing.bob, sharing.bob.calendars) is None


async def test_what_comes_from_elsewhere_is_only_read(sharing: Sharing) -> None:
    await sharing.alice("MKCALENDAR", f"{sharing.alice.calendars}holidays/")
    mailbox = await sharing.house.made.mailbox(ALICE)
    record = mailbox.dav.collection("calendar", "holidays")
    await sharing.subscriptions.add(mailbox.id, record.id, "https://far.test/a.ics")
    path = f"{sharing.alice.calendars}holidays/"
    assert (await sharing.alice("PUT", f"{path}one.ics", calendar(event("one")))).status == 403
    assert (await sharing.alice("PROPPATCH", path, NAMED)).status == 207
    assert (await sharing.alice("DELETE", path)).status == 204
