"""Calendars of elsewhere: fetched, kept equal, and only from where this server may go."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.scheduling import SchedulingSettings
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.fetching import CalendarFetcher
from mailstead.stores.sharing.subscriptions import Subscription, Subscriptions
from support.dav import calendar, event
from support.installation import Installation, installation
from support.scripted_resolver import ScriptedResolver

ALICE = "alice@example.test"


class Site:
    """A web server whose answers a test sets, by path."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[bytes] = []
        self.port = 0

    def give(self, path: str, body: str, status: str = "200 OK", *fields: str) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *fields, "", body]
        self.answers[path] = "\r\n".join(head).encode()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(asked)
        writer.write(self.answers[asked.split()[1].decode()])
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


class Place:
    """alice, with a calendar for a subscription."""

    def __init__(self, made: Installation, subscriptions: Subscriptions) -> None:
        self.made = made
        self.subscriptions = subscriptions
        self.fetcher = CalendarFetcher(
            made.directory, made.mailboxes, subscriptions, ScriptedResolver({}), _no_tls, made.settings, made.clock
        )

    async def subscribe(self, url: str) -> Subscription:
        mailbox = await self.made.mailbox(ALICE)
        record = mailbox.dav.create("calendar", "far", ())
        return await self.subscriptions.add(mailbox.id, record.id, url)

    async def now(self) -> Subscription:
        mailbox = await self.made.mailbox(ALICE)
        (found,) = await self.subscriptions.of_owner(mailbox.id)
        return found

    async def titles(self) -> list[str]:
        mailbox = await self.made.mailbox(ALICE)
        record = mailbox.dav.collection("calendar", "far")
        rows = [row.id for row in mailbox.dav.objects(record.id)]
        return sorted(data.partition(b"UID:")[2].split(b"\r\n")[0].decode() for data in mailbox.dav.read(rows).values())


def _no_tls() -> ssl.SSLContext:
    raise AssertionError


@pytest.fixture
def allowed() -> tuple[str, ...]:
    return ("127.0.0.0/8",)


@pytest.fixture
async def place(tmp_path: Path, allowed: tuple[str, ...]) -> AsyncIterator[Place]:
    settings = Settings(scheduling=SchedulingSettings(private_networks=allowed, fetch_size=4096))
    async with installation(tmp_path, settings) as made:
        yield Place(made, Subscriptions(made.documents, made.clock))


async def test_a_calendar_is_kept_equal(place: Place, site: Site) -> None:
    site.give("/a.ics", calendar(event("one"), event("two")), "200 OK", 'ETag: "x"')
    subscription = await place.subscribe(f"http://127.0.0.1:{site.port}/a.ics")
    assert await place.subscriptions.due(10) == [subscription]
    assert (await place.fetcher.fetch(subscription)).changed == 2
    assert await place.titles() == ["one", "two"]
    assert await place.subscriptions.due(10) == []
    site.give("/a.ics", "", "304 Not Modified")
    assert (await place.fetcher.fetch(await place.now())).changed == 0
    assert b'If-None-Match: "x"\r\n' in site.asked[-1]
    assert await place.titles() == ["one", "two"]
    site.give("/a.ics", calendar(event("two", "DTSTART:20260106T100000Z"), event("three")))
    assert (await place.fetcher.fetch(await place.now())).changed == 3
    assert await place.titles() == ["three", "two"]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ("nothing", "200 OK", "not a calendar"),
        (calendar(event("one")), "404 Not Found", "answered 404"),
        (calendar(event("one"), "X-LONG:" + "x" * 5000), "200 OK", "too large"),
    ],
)
async def test_what_was_there_stays_when_fetching_fails(
    place: Place, site: Site, body: str, status: str, why: str
) -> None:
    site.give("/a.ics", calendar(event("one")))
    subscription = await place.subscribe(f"http://127.0.0.1:{site.port}/a.ics")
    await place.fetcher.fetch(subscription)
    site.give("/a.ics", body, status)
    assert why in (await place.fetcher.fetch(await place.now())).error
    assert why in (await place.now()).error
    assert await place.titles() == ["one"]


async def test_redirects_are_followed_as_far_as_one_may_go(place: Place, site: Site) -> None:
    site.give("/a.ics", "", "301 Moved", "Location: /b.ics")
    site.give("/b.ics", calendar(event("one")))
    subscription = await place.subscribe(f"http://127.0.0.1:{site.port}/a.ics")
    assert (await place.fetcher.fetch(subscription)).changed == 1
    site.give("/b.ics", "", "302 Found", "Location: http://10.1.2.3/secret")
    assert "not a public one" in (await place.fetcher.fetch(await place.now())).error
    site.give("/b.ics", "", "302 Found", "Location: file:///etc/passwd")
    assert "https://" in (await place.fetcher.fetch(await place.now())).error
    site.give("/b.ics", "", "302 Found", "Location: /a.ics")
    assert "too often" in (await place.fetcher.fetch(await place.now())).error


@pytest.mark.parametrize("allowed", [()])
async def test_nothing_is_fetched_from_this_network(place: Place, site: Site) -> None:
    subscription = await place.subscribe(f"http://127.0.0.1:{site.port}/a.ics")
    assert "not a public one" in (await place.fetcher.fetch(subscription)).error
    assert site.asked == []


async def test_a_deleted_calendar_ends_its_subscription(place: Place, site: Site) -> None:
    subscription = await place.subscribe(f"http://127.0.0.1:{site.port}/a.ics")
    mailbox = await place.made.mailbox(ALICE)
    mailbox.dav.delete_collection(subscription.collection_id)
    assert (await place.fetcher.fetch(subscription)).is_gone
    assert await place.subscriptions.of_owner(mailbox.id) == []
    assert site.asked == []
