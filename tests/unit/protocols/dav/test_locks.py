"""Locks keep others from writing (RFC 4918 §6)."""

from support.dav import NAMESPACES, D, DavClient, calendar, event

LOCK = (
    f"<lockinfo {NAMESPACES}><lockscope><{{}}/></lockscope><locktype><write/></locktype><owner><href>me</href></owner>"
    "</lockinfo>"
)


async def test_what_is_locked_is_written_with_the_token_alone(alice: DavClient) -> None:
    path = f"{alice.calendars}default/a.ics"
    await alice.put(path, calendar(event("a")))
    locked = await alice("LOCK", path, LOCK.format("exclusive"), timeout="Second-100")
    assert locked.status == 200
    token = locked.headers["lock-token"]
    changed = calendar(event("a", "DTSTART:20260108T100000Z"))
    refused = await alice.put(path, changed)
    assert (refused.status, refused.condition) == (423, f"{D}lock-token-submitted")
    for method in ("DELETE", "MOVE"):
        assert (await alice(method, path, destination=f"{alice.calendars}default/b.ics")).status == 423
    assert (await alice("DELETE", f"{alice.calendars}default/")).status == 423
    assert (await alice("LOCK", path, LOCK.format("shared"))).condition == f"{D}no-conflicting-lock"
    assert (await alice.put(path, changed, **{"if": f"({token})"})).status == 204
    assert (await alice.put(path, changed, **{"if": f'({token} ["other"])'})).status == 412
    found = await alice.propfind(path, "lockdiscovery")
    assert token[1:-1] in found.body.decode()
    refreshed = await alice("LOCK", path, **{"if": f"({token})", "timeout": "Second-50"})
    assert b"Second-50" in refreshed.body
    assert (await alice("UNLOCK", path, lock_token="<urn:x>")).condition == f"{D}lock-token-matches-request-uri"
    assert (await alice("UNLOCK", path, lock_token=token)).status == 204
    assert (await alice.put(path, calendar(event("a")))).status == 204


async def test_a_locked_collection_keeps_its_members(alice: DavClient) -> None:
    path = f"{alice.calendars}default/"
    locked = await alice("LOCK", path, LOCK.format("exclusive"), depth="0")
    token = locked.headers["lock-token"]
    refused = await alice.put(f"{path}a.ics", calendar(event("a")))
    assert refused.status == 423
    assert (await alice.put(f"{path}a.ics", calendar(event("a")), **{"if": f"<{path}> ({token})"})).status == 201
    changed = calendar(event("a", "DTSTART:20260108T100000Z"))
    assert (await alice.put(f"{path}a.ics", changed)).status == 204  # a member's content is not the collection's
    assert (await alice("UNLOCK", path, lock_token=token)).status == 204


async def test_a_lock_ends(alice: DavClient) -> None:
    path = f"{alice.files}a.txt"
    made = await alice("LOCK", path, LOCK.format("exclusive"), timeout="Infinite, Second-4100000000")
    assert made.status == 201
    assert b"Second-3600" in made.body or b"Second-3599" in made.body
    empty = await alice("LOCK", f"{alice.calendars}default/n.ics", LOCK.format("exclusive"))
    assert empty.status == 403
    assert (await alice("GET", f"{alice.calendars}default/n.ics")).status == 404
