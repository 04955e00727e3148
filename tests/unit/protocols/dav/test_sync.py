"""sync-collection: exactly what changed (RFC 6578)."""

from support.dav import C, D, DavClient, calendar, event


async def test_a_client_hears_of_every_change_once(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    start = await alice.sync(path)
    assert start.responses() == {}
    for name in "abc":
        await alice.put(f"{path}{name}.ics", calendar(event(name)))
    first = await alice.sync(path, start.sync_token)
    assert sorted(first.responses()) == [f"{path}{name}.ics" for name in "abc"]
    await alice.put(f"{path}b.ics", calendar(event("b", "DTSTART:20260107T100000Z")))
    await alice("DELETE", f"{path}a.ics")
    await alice.put(f"{path}d.ics", calendar(event("d")))
    await alice("DELETE", f"{path}d.ics")
    second = await alice.sync(path, first.sync_token)
    assert set(second.responses()) == {f"{path}{name}.ics" for name in "abd"}
    assert second.status_of(f"{path}a.ics") == second.status_of(f"{path}d.ics") == 404
    assert second.text(f"{path}b.ics", f"{D}getetag")
    again = await alice.sync(path, second.sync_token)
    assert (again.responses(), again.sync_token) == ({}, second.sync_token)
    told = await alice.propfind(path, "sync-token", "S:getctag")
    assert told.text(path, f"{D}sync-token") == second.sync_token
    whole = await alice.sync(path)
    assert sorted(whole.responses()) == [f"{path}b.ics", f"{path}c.ics"]


async def test_an_answer_may_come_in_parts(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    for number in range(7):
        await alice.put(f"{path}{number}.ics", calendar(event(str(number))))
    token, seen, rounds = "", set(), 0
    while True:
        found = await alice.sync(path, token, "<limit><nresults>3</nresults></limit><prop><getetag/></prop>")
        responses = found.responses()
        token, rounds = found.sync_token, rounds + 1
        more = responses.pop(path, None)
        seen |= set(responses)
        if more is None:
            break
        assert len(responses) == 3
        assert more.first(f"{D}error").first(f"{D}number-of-matches-within-limits") is not None  # type: ignore[union-attr]
    assert (rounds, len(seen)) == (3, 7)


async def test_tokens_of_others_are_not_taken(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    token = (await alice.sync(f"{alice.calendars}tasks/")).sync_token
    for wrong in (token, "data:,1-999999", "x", "data:,1-1x"):
        refused = await alice.sync(path, wrong)
        assert (refused.status, refused.condition) == (403, f"{D}valid-sync-token"), wrong
    await alice("DELETE", path)
    await alice("MKCALENDAR", path)
    refused = await alice.sync(path, "data:,1-1")
    assert refused.condition == f"{D}valid-sync-token"
    refused = await alice.report(path, "sync-collection", "<sync-token/><sync-level>2</sync-level><prop/>")
    assert refused.status == 400
    refused = await alice.report(alice.calendars, "sync-collection", "<sync-token/><sync-level>1</sync-level><prop/>")
    assert (refused.status, refused.condition) == (403, f"{D}supported-report")


async def test_sync_may_bring_the_data_along(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    await alice.put(f"{path}a.ics", calendar(event("a")))
    found = await alice.sync(path, "", "<prop><getetag/><C:calendar-data/></prop>")
    assert found.text(f"{path}a.ics", f"{C}calendar-data") == calendar(event("a"))


async def test_paths_are_written_as_the_client_writes_them(alice: DavClient) -> None:
    path = f"{alice.calendars}default/".replace("@", "%40")
    await alice.put(f"{path}a.ics", calendar(event("a")))
    token = (await alice.sync(path)).sync_token
    assert list((await alice.propfind(path, "getetag", depth="1")).responses()) == [path, f"{path}a.ics"]
    await alice("DELETE", f"{path}a.ics")
    assert list((await alice.sync(path, token)).responses()) == [f"{path}a.ics"]
