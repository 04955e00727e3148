"""Calendars that are shown to everybody who has their link: read-only, as one .ics file, without a login."""

from collections.abc import Iterator

from mailstead.formats.icalendar.gathering import put_together
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.storing import limits_of
from mailstead.protocols.dav.message import Response
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.dav.records import Collection, NoSuchCollectionError
from mailstead.stores.mailbox.dav.store import DavStore
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.sharing.links import CalendarLinks

PREFIX = "/dav/public/"
_SUFFIX = ".ics"
_BATCH = 200
_LONGEST = 100


class PublishedCalendars:
    """Answers requests for links."""

    def __init__(self, links: CalendarLinks, directory: Directory, mailboxes: Mailboxes, settings: Settings) -> None:
        self._links = links
        self._directory = directory
        self._mailboxes = mailboxes
        self._limits = limits_of(settings.dav, 1)

    async def respond(self, method: str, path: str, if_none_match: str) -> Response:
        """The calendar; 404 for what is no link, or one whose calendar is gone or locked."""
        if method not in ("GET", "HEAD"):
            return Response(405, (("Allow", "GET, HEAD"),))
        secret = path.removeprefix(PREFIX).removesuffix(_SUFFIX)
        link = await self._links.find(secret) if path.endswith(_SUFFIX) and len(secret) <= _LONGEST else None
        alias = None if link is None else await self._directory.alias_of_mailbox(link.owner)
        key = None if link is None or alias is None else await self._directory.mailbox_key(link.owner)
        if link is None or key is None:
            return _missing()
        with key:
            mailbox = await self._mailboxes.open(link.owner, key)
        try:
            record, _ = await self._mailboxes.run_short(mailbox, mailbox.dav.describe, link.collection_id)
        except NoSuchCollectionError:
            return _missing()
        etag = f'"{record.id}-{record.token}"'
        headers = (
            ("ETag", etag),
            ("Cache-Control", "private, no-cache"),
            ("X-Robots-Tag", "noindex"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        )
        if etag in if_none_match:
            return Response(304, headers)
        body = await self._mailboxes.run(self._file, mailbox.dav, record)
        disposition = ("Content-Disposition", 'inline; filename="calendar.ics"')
        return Response(200, (*headers, disposition), body, "text/calendar; charset=utf-8")

    def _file(self, dav: DavStore, record: Collection) -> bytes:
        return b"".join(put_together(_octets(dav, record), self._limits.content, record.name, is_public=True))


def _octets(dav: DavStore, record: Collection) -> Iterator[bytes]:
    rows = [row.id for row in dav.objects(record.id)]
    for start in range(0, len(rows), _BATCH):
        yield from dav.read(rows[start : start + _BATCH]).values()


def _missing() -> Response:
    return Response(404, (), b"There is no such calendar\n", "text/plain; charset=utf-8")
