"""Whether a request may go on: If, If-Match, If-None-Match, their dates, and locks (RFC 9110 §13, RFC 4918 §10.4).

ETags and locks are looked at again within the transaction that changes something: `Conditions.guard`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import path_of
from mailstead.protocols.dav.if_header import ConditionList, parse_if
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.resources import CollectionResource, Found, ObjectResource, Unmapped
from mailstead.protocols.dav.tree import find
from mailstead.stores.mailbox.dav.records import Lock, ObjectRow
from mailstead.stores.mailbox.dav.trees import joined, store_path
from mailstead.stores.mailbox.mailbox import Mailbox

_ETAG = re.compile(r'\s*((?:W/)?"[^"]*"|\*)\s*(?:,|\Z)')


def etags(text: str) -> list[str]:
    """The ETags of a list, or `*` alone. Raises DavError."""
    found, place = [], 0
    while place < len(text):
        match = _ETAG.match(text, place)
        if match is None:
            raise DavError(400, "Not a list of ETags")
        found.append(match[1])
        place = match.end()
    return found


def lock_place(found: Found) -> tuple[Mailbox, str] | None:
    """The mailbox of a resource and its path among the locks; None for what cannot be locked."""
    match found:
        case CollectionResource(mailbox=Mailbox() as mailbox, record=record):
            return mailbox, store_path(record.kind, record.name)
        case ObjectResource(collection=collection, row=row) if collection.mailbox is not None:
            return collection.mailbox, store_path(collection.record.kind, collection.record.name, row.name)
        case Unmapped(parent=CollectionResource(mailbox=Mailbox() as mailbox, record=record), name=name):
            return mailbox, store_path(record.kind, joined(record.name, name))
        case Unmapped(parent=parent, name=name) if not isinstance(parent, CollectionResource):
            return parent.holder.mailbox, store_path(parent.kind.kind, name)
    return None


class Conditions:
    """The conditions of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        request = exchange.request
        self._match = etags(request.header("if-match"))
        self._none_match = etags(request.header("if-none-match"))
        self._unmodified_since = _seconds(request.header("if-unmodified-since"))
        self._modified_since = _seconds(request.header("if-modified-since"))
        self._lists = parse_if(request.header("if")) if request.header("if") else []
        self.tokens = {one.token for entry in self._lists for one in entry.conditions if one.token}

    async def check(self, found: Found) -> None:
        """The If header, and ETags against a resource as it is now. Raises DavError 412."""
        await self.check_lists(found)
        self.check_etag(found.row if isinstance(found, ObjectResource) else None, is_there=not _is_unmapped(found))

    async def check_lists(self, found: Found) -> None:
        """The If header alone. Raises DavError 412."""
        if self._lists and not [entry for entry in self._lists if await self._holds(entry, found)]:
            raise DavError(412, "None of the If header's lists holds")

    def check_etag(self, row: ObjectRow | None, *, is_there: bool) -> None:
        """If-Match, If-None-Match and If-Unmodified-Since. Raises DavError 412."""
        etag = None if row is None else row.etag
        if self._match and not (is_there and ("*" in self._match or etag in self._match)):
            raise DavError(412, "The resource has not that ETag")
        since = self._unmodified_since
        if not self._match and row is not None and since is not None and row.changed_at > since:
            raise DavError(412, "The resource was changed since")
        if self._none_match and is_there and ("*" in self._none_match or etag in self._none_match):
            raise DavError(412, "The resource is there, or has that ETag")

    def is_unchanged(self, row: ObjectRow) -> bool:
        """Whether GET answers 304 (RFC 9110 §13.2.2)."""
        if self._none_match:
            return "*" in self._none_match or row.etag in {one.removeprefix("W/") for one in self._none_match}
        return self._modified_since is not None and row.changed_at <= self._modified_since

    def check_match(self, row: ObjectRow) -> None:
        """If-Match and If-Unmodified-Since alone, as for GET. Raises DavError 412."""
        if self._match and "*" not in self._match and row.etag not in self._match:
            raise DavError(412, "The resource has not that ETag")

    def guard(self, existing: ObjectRow | None, locks: Sequence[Lock]) -> None:
        """ETags and locks within a transaction. Raises DavError 412, 423."""
        self.check_etag(existing, is_there=existing is not None)
        self.check_locks(locks)

    def without_etags(self, _: ObjectRow | None, locks: Sequence[Lock]) -> None:
        """Locks alone, for resources that the request's ETags do not speak of. Raises DavError 423."""
        self.check_locks(locks)

    def check_locks(self, locks: Sequence[Lock]) -> None:
        """Every lock's token must be there, of shared ones any (RFC 4918 §7). Raises DavError 423."""
        own = self._exchange.account.address
        held = [one for one in locks if one.token in self.tokens and one.principal == own]
        for lock in locks:
            if lock in held or (not lock.is_exclusive and held):
                continue
            raise DavError(423, "Locked", d("lock-token-submitted"), f"<D:href>{self._exchange.request.path}</D:href>")

    async def _holds(self, entry: ConditionList, own: Found) -> bool:
        found: Found | None = own
        if entry.resource:
            path = path_of(entry.resource, self._exchange.request.host)
            try:
                found = await find(self._exchange, path)
            except DavError:
                found = None
        etag = found.row.etag if isinstance(found, ObjectResource) else None
        place = lock_place(found) if found is not None else None
        tokens: set[str] = set()
        if place is not None:
            mailbox, path = place
            held = await self._exchange.run_short(mailbox, mailbox.dav.locks, path, self._exchange.now)
            tokens = {lock.token for lock in held}
        return all(
            ((one.token in tokens) if one.token else (one.etag == etag)) != one.is_not for one in entry.conditions
        )


def _is_unmapped(found: Found) -> bool:
    return isinstance(found, Unmapped)


def _seconds(text: str) -> int | None:
    """An HTTP date; one that cannot be read is as none (RFC 9110 §13.1.4)."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def http_date(seconds: int) -> str:
    """A date as HTTP writes it (RFC 9110 §5.6.7)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
