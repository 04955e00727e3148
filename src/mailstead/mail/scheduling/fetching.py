"""Calendars of elsewhere, fetched into a mailbox again and again."""

import hashlib
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.gathering import take_apart
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import MailsteadError, NotFoundError, PermanentError
from mailstead.foundation.net.http.request import HttpAnswer, HttpRequest, send_request
from mailstead.foundation.net.http.url import parse_url
from mailstead.foundation.net.reach import Reach
from mailstead.mail.scheduling.storing import limits_of, to_store
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import NoSuchCollectionError
from mailstead.stores.mailbox.dav.store import DavStore
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.sharing.subscriptions import Subscription, Subscriptions

_REDIRECTS = 5
_MOST_ERROR = 300


class Fetched(msgspec.Struct, frozen=True):
    """What came of a subscription's turn: `is_gone` when its calendar is no longer there."""

    error: str = ""
    changed: int = 0
    is_gone: bool = False


class CalendarFetcher:
    """Fetches. `context` gives the TLS context that verifies hosts."""

    def __init__(
        self,
        directory: Directory,
        mailboxes: Mailboxes,
        subscriptions: Subscriptions,
        resolver: Resolving,
        context: Callable[[], ssl.SSLContext],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._mailboxes = mailboxes
        self._subscriptions = subscriptions
        self._reach = Reach(resolver, settings.scheduling.private_networks)
        self._context = context
        self._settings = settings
        self._clock = clock

    async def fetch(self, subscription: Subscription) -> Fetched:
        """Bring one calendar up to date, and write down when the next turn is. Raises nothing of the other side."""
        now = self._clock.now()
        done, etag = await self._fetched(subscription)
        if done.is_gone:
            await self._subscriptions.remove(subscription.owner, subscription.collection_id)
            return done
        changes: dict[str, Any] = {"due_at": now + self._settings.scheduling.refresh, "error": done.error[:_MOST_ERROR]}
        if not done.error:
            changes |= {"fetched_at": now, "etag": etag}
        await self._subscriptions.note(subscription.id, changes)
        return done

    async def _fetched(self, subscription: Subscription) -> tuple[Fetched, str]:
        try:
            key = await self._directory.mailbox_key(subscription.owner)
        except NotFoundError:
            return Fetched(is_gone=True), ""
        if key is None:
            return Fetched("the mailbox is locked"), ""
        with key:
            mailbox = await self._mailboxes.open(subscription.owner, key)
        try:
            await self._mailboxes.run_short(mailbox, mailbox.dav.describe, subscription.collection_id)
            answer = await self._get(subscription)
            if answer.status == 304:
                return Fetched(), subscription.etag
            if answer.status != 200:
                return Fetched(f"the server answered {answer.status}"), ""
            changed = await self._mailboxes.run(
                replace_objects, mailbox.dav, subscription.collection_id, answer.body, self._settings, self._clock.now()
            )
        except NoSuchCollectionError:
            return Fetched(is_gone=True), ""
        except ContentError as error:
            return Fetched(f"not a calendar: {error}"), ""
        except TimeoutError:
            return Fetched("no answer in time"), ""
        except (MailsteadError, OSError) as error:
            return Fetched(str(error) or type(error).__name__), ""
        return Fetched(changed=changed), answer.headers.get("etag", "")[:200]

    async def _get(self, subscription: Subscription) -> HttpAnswer:
        """The answer; redirects are followed, each to an address that may be reached. Raises MailsteadError, OSError."""
        settings = self._settings.scheduling
        url = subscription.url
        headers = {"User-Agent": "Mailstead", "Accept": "text/calendar, */*;q=0.1"}
        if subscription.etag and subscription.etag.isascii() and subscription.etag.isprintable():
            headers["If-None-Match"] = subscription.etag
        for _ in range(_REDIRECTS):
            target = parse_url(url)
            answer = await send_request(
                HttpRequest(method="GET", host=target.host, port=target.port, path=target.path, headers=headers),
                await self._reach.addresses(target.host),
                self._context() if target.is_secure else None,
                timeout=settings.fetch_timeout,
                size_limit=settings.fetch_size,
            )
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            url = urljoin(url, location)
        raise PermanentError("The calendar is redirected too often")


def replace_objects(dav: DavStore, collection_id: int, data: bytes, settings: Settings, now: float) -> int:
    """Make a calendar hold what a file has; how many objects changed. Raises ContentError, OverQuotaError.

    What cannot be read is left out.
    """
    bounds = limits_of(settings.dav, 1).content
    whole = ContentBounds(settings.scheduling.fetch_size, bounds.depth, 20 * bounds.lines)
    known = {row.name: row for row in dav.objects(collection_id)}
    kept: set[str] = set()
    changed = 0
    for part in take_apart(data, whole):
        name = f"{hashlib.sha256(f'{part.kind} {part.uid}'.encode()).hexdigest()[:32]}.ics"
        row = known.get(name)
        if name in kept:
            continue
        if row is None or row.etag != etag_of(part.data):
            try:
                new = to_store(name, part.data, bounds)
            except ContentError:
                continue
            dav.put(collection_id, new, now, quota=settings.mailbox.quota)
            changed += 1
        kept.add(name)
    for name in known.keys() - kept:
        dav.delete(collection_id, name, now)
        changed += 1
    return changed
