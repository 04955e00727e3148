"""Messages meet stored objects in one mailbox. Everything here is called on a mailbox thread."""

import re
from urllib.parse import unquote
from xml.sax.saxutils import unescape

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.availability import read_availability, unavailable
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.free_busy import Busy, busy_periods, merged
from mailstead.formats.icalendar.occurrences import ExpansionBounds, extent
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.formats.icalendar.zones import Zones
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.scheduling.message import Received
from mailstead.mail.scheduling.receiving import Effect, may_send, receive
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import (
    Collection,
    CollectionExistsError,
    Kind,
    NewObject,
    NoSuchCollectionError,
    ObjectRow,
    PreconditionFailedError,
)
from mailstead.stores.mailbox.dav.store import DavStore

DEFAULT_CALENDAR = "{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL"
AVAILABILITY = "{urn:ietf:params:xml:ns:caldav}calendar-availability"
TRANSPARENT = "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp"
_TEXT = re.compile(rb">([^<]*)<")
_HREF = re.compile(rb"href[^>]*>\s*([^<]*?)\s*<")
_ATTEMPTS = 8


class Limits(msgspec.Struct, frozen=True):
    """What is read, and kept."""

    content: ContentBounds
    expansion: ExpansionBounds
    inbox: int


def limits_of(dav: DavSettings, inbox: int) -> Limits:
    """The limits of the settings."""
    return Limits(
        ContentBounds(dav.object_size, dav.object_depth, dav.object_lines),
        ExpansionBounds(dav.recurrence_steps, dav.recurrence_dates),
        inbox,
    )


class Stored(msgspec.Struct, frozen=True):
    """An object as it is, and where."""

    collection: Collection
    row: ObjectRow
    data: bytes


def find_stored(dav: DavStore, uid: str) -> Stored | None:
    """The object of that UID in any calendar."""
    for collection, row in dav.by_uid("calendar", uid):
        data = dav.read([row.id]).get(row.id)
        if data is not None:
            return Stored(collection, row, data)
    return None


def to_store(name: str, data: bytes, bounds: ContentBounds, schedule_tag: str = "") -> NewObject:
    """The object of these octets. Raises ContentError."""
    found = read_calendar_object(data, bounds)
    span = extent(found, Zones(found.calendar))
    start, end = (None, None) if span is None else (span.start, span.end)
    return NewObject(name, found.uid, found.kind, data, start, end, schedule_tag)


class Applied(msgspec.Struct, frozen=True):
    """What a message did, and what was there before it (None: nothing)."""

    effect: Effect
    before: bytes | None


def apply_message(
    dav: DavStore, received: Received, data: bytes, own: frozenset[str], sender: str, now: float, limits: Limits
) -> Applied:
    """Do to the calendars what a message wants, when `sender` may; it is put into the inbox when it tells something.

    Raises ContentError, StoreError.
    """
    for _ in range(_ATTEMPTS):
        stored = find_stored(dav, received.series.uid)
        before = None if stored is None else stored.data
        if not may_send(received, sender, before, limits.content):
            return Applied(Effect("ignored", why=f"{sender} is neither its organizer nor asked"), before)
        effect = receive(before, received, own, sender, limits.content)
        if effect.data is None:
            break
        try:
            _put(dav, stored, effect, received.kind, now, limits)
        except PreconditionFailedError:
            continue  # somebody changed it meanwhile: what is there now is looked at
        break
    else:
        raise PreconditionFailedError
    if effect.tells:
        add_to_inbox(dav, data, now, limits.inbox)
    return Applied(effect, before)


def _put(dav: DavStore, stored: Stored | None, effect: Effect, kind: str, now: float, limits: Limits) -> None:
    assert effect.data is not None
    if stored is None:
        name = f"{new_ulid(now)}.ics"
        dav.put(
            default_calendar(dav, kind).id,
            to_store(name, effect.data, limits.content, etag_of(effect.data)),
            now,
            if_none_match=True,
        )
        return
    # an answer, and what only tells of others' answers, leaves clients their tag (RFC 6638 §3.2.10)
    keeps_tag = effect.what == "answered" or (effect.what == "updated" and not effect.tells)
    tag = stored.row.schedule_tag if keeps_tag and stored.row.schedule_tag else etag_of(effect.data)
    new = to_store(stored.row.name, effect.data, limits.content, tag)
    dav.put(stored.collection.id, new, now, if_match=stored.row.etag)


def default_calendar(dav: DavStore, kind: str) -> Collection:
    """Where invitations go: the one that was chosen, else the first that takes them; made when there is none."""
    calendars = dav.collections("calendar")
    chosen = _named(dav.properties(box_of(dav, "inbox").id).get(DEFAULT_CALENDAR, b""))
    fit = [one for one in calendars if not one.is_made and (not one.components or kind in one.components)]
    for wanted in (chosen, "default"):
        for one in fit:
            if one.name == wanted:
                return one
    if fit:
        return fit[0]
    try:
        return dav.create("calendar", "invitations", (kind,))
    except CollectionExistsError:
        return dav.create("calendar", f"invitations-{new_ulid()}", (kind,))


def _named(value: bytes) -> str:
    """The name of the calendar that a property's element leads to."""
    found = _HREF.search(value)
    return (
        "" if found is None else unquote(unescape(found[1].decode("utf-8", "replace"))).rstrip("/").rpartition("/")[2]
    )


def box_of(dav: DavStore, kind: Kind) -> Collection:
    """The scheduling inbox or outbox (RFC 6638 §2), made when it is first needed."""
    try:
        return dav.collection(kind, kind)
    except NoSuchCollectionError:
        pass
    try:
        return dav.create(kind, kind, ())
    except CollectionExistsError:  # somebody else asked at the same time
        return dav.collection(kind, kind)


def add_to_inbox(dav: DavStore, data: bytes, now: float, most: int) -> None:
    """Keep a message that was processed for clients to see (RFC 6638 §4); the oldest goes when there are too many."""
    inbox = box_of(dav, "inbox")
    name = new_ulid(now)
    # many messages are about one UID: in this collection the name stands for it
    dav.put(inbox.id, NewObject(f"{name}.ics", name, "", data), now)
    for row in dav.objects(inbox.id)[:-most] if inbox.objects >= most else ():
        dav.delete(inbox.id, row.name, now)


def busy_of(dav: DavStore, since: int, until: int, me: frozenset[str], limits: Limits) -> list[Busy]:
    """When the owner of the calendars is busy or cannot be asked; what cannot be worked out counts as nothing."""
    found = _unavailable(dav, since, until, limits)
    for calendar in dav.collections("calendar"):
        if b"transparent" in dav.properties(calendar.id).get(TRANSPARENT, b""):
            continue
        rows = dav.objects(calendar.id, since, until)
        for start in range(0, len(rows), 200):
            for data in dav.read([row.id for row in rows[start : start + 200]]).values():
                try:
                    one = read_calendar_object(data, limits.content)
                    found += busy_periods(one, Zones(one.calendar), since, until, limits.expansion, me)
                except (ContentError, RecurrenceLimitError):
                    continue
    return merged(found)


def _unavailable(dav: DavStore, since: int, until: int, limits: Limits) -> list[Busy]:
    """By the property of the inbox (RFC 7953 §7.2.4)."""
    try:
        inbox = dav.collection("inbox", "inbox")
    except NoSuchCollectionError:
        return []
    value = _TEXT.search(dav.properties(inbox.id).get(AVAILABILITY, b""))
    if value is None:
        return []
    text = unescape(value[1].decode("utf-8", "replace"), {"&#13;": "\r"})
    try:
        return unavailable(read_availability(text.strip().encode(), limits.content), since, until, limits.expansion)
    except (ContentError, RecurrenceLimitError):
        return []
