"""The calendar of birthdays: made from the address books, read by everybody who sees it, changed by nobody.

It is a calendar like others, so that programs follow it by its sync token. Before it is looked at it follows the cards
that changed since it last did; their tokens tell. Deleting it switches it off.
"""

from collections.abc import Iterator

import apsw
import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.calendar_object import read_calendar_object
from mailstead.formats.icalendar.occurrences import extent
from mailstead.formats.icalendar.zones import Zones
from mailstead.formats.vcard.anniversaries import anniversaries, anniversary_event
from mailstead.formats.vcard.card import read_card
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav import collections, objects
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError, NewObject

NAME = "birthdays"
_SETTING = "dav.birthdays"
_BOUNDS = ContentBounds()


class _State(msgspec.Struct, frozen=True):
    """What it followed: the greatest token of the address books then, and which they were."""

    collection: int = 0
    token: int = 0
    books: tuple[int, ...] = ()


def state(connection: apsw.Connection) -> bool | None:
    """Whether it is on; None when nobody ever said."""
    known = _known(connection)
    return None if known is None else collections.is_made(connection, known.collection)


def switch(connection: apsw.Connection, *, on: bool) -> None:
    """Make it, or take it away."""
    known = _known(connection) or _State()
    if collections.is_made(connection, known.collection) == on:
        if not on:
            _keep(connection, _State())
        return
    if not on:
        collections.delete(connection, known.collection)
        _keep(connection, _State())
        return
    made = _made(connection)
    collections.mark_made(connection, made.id)
    _keep(connection, _State(made.id))
    follow(connection)


def _made(connection: apsw.Connection) -> Collection:
    name, number = NAME, 1
    while True:
        try:
            return collections.create(connection, "calendar", name, ("VEVENT",))
        except CollectionExistsError:  # somebody has a calendar of that name
            number += 1
            name = f"{NAME}-{number}"


def is_stale(connection: apsw.Connection) -> bool:
    """Whether it is on, and address books changed since it followed them."""
    known = _known(connection)
    if known is None or not collections.is_made(connection, known.collection):
        return False
    return _books(connection) != (known.token, known.books)


def follow(connection: apsw.Connection) -> None:
    """Bring it up to date."""
    known = _known(connection)
    if known is None or not collections.is_made(connection, known.collection):
        return
    token, books = _books(connection)
    now = _changed_at(connection)
    for name in _orphans(connection, known.collection):
        objects.delete(connection, known.collection, name, now)
    rows = select(
        connection,
        "SELECT o.id, d.data FROM dav_object o JOIN dav_collection c ON c.id = o.collection_id"
        " JOIN dav_content d ON d.object_id = o.id WHERE c.kind = 'addressbook' AND o.token > ? ORDER BY o.id",
        (known.token,),
    )
    for identifier, data in rows:
        wanted = {one.name: one for one in _events(identifier, data)}
        for name in _names(connection, known.collection, identifier):
            if name not in wanted:
                objects.delete(connection, known.collection, name, now)
        for one in wanted.values():
            objects.put(connection, known.collection, one, now)
    _keep(connection, _State(known.collection, token, books))


def _known(connection: apsw.Connection) -> _State | None:
    rows = select(connection, "SELECT value FROM setting WHERE name = ?", (_SETTING,))
    return msgspec.msgpack.decode(rows[0][0], type=_State) if rows else None


def _keep(connection: apsw.Connection, known: _State) -> None:
    connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_SETTING, msgspec.msgpack.encode(known)))


def _books(connection: apsw.Connection) -> tuple[int, tuple[int, ...]]:
    rows = select(connection, "SELECT id, token FROM dav_collection WHERE kind = 'addressbook' ORDER BY id")
    return max((token for _, token in rows), default=0), tuple(identifier for identifier, _ in rows)


def _changed_at(connection: apsw.Connection) -> float:
    """When a card was last stored or deleted: its events change at that time."""
    ((stored,),) = select(
        connection,
        "SELECT max(o.changed_at) FROM dav_object o JOIN dav_collection c ON c.id = o.collection_id"
        " WHERE c.kind = 'addressbook'",
    )
    ((deleted,),) = select(
        connection,
        "SELECT max(t.deleted_at) FROM dav_tombstone t JOIN dav_collection c ON c.id = t.collection_id"
        " WHERE c.kind = 'addressbook'",
    )
    return float(max(stored or 0, deleted or 0))


def _orphans(connection: apsw.Connection, collection_id: int) -> list[str]:
    """The events whose cards are gone; an event's name begins with its card's id."""
    rows = select(
        connection,
        "SELECT name FROM dav_object WHERE collection_id = ? AND CAST(name AS INTEGER) NOT IN (SELECT o.id"
        " FROM dav_object o JOIN dav_collection c ON c.id = o.collection_id WHERE c.kind = 'addressbook')",
        (collection_id,),
    )
    return [name for (name,) in rows]


def _names(connection: apsw.Connection, collection_id: int, identifier: int) -> list[str]:
    names = [_name(identifier, what) for what in ("birthday", "anniversary")]
    return [row.name for row in objects.find_all(connection, collection_id, names)]


def _name(identifier: int, what: str) -> str:
    return f"{identifier}-{what}.ics"


def _events(identifier: int, data: bytes) -> Iterator[NewObject]:
    """The events of a card; none of one that cannot be read."""
    try:
        card = read_card(data, _BOUNDS)
    except ContentError:
        return
    for one in anniversaries(card.component):
        uid = f"{identifier}-{one.what}"
        octets = anniversary_event(one, uid, card.name)
        found = read_calendar_object(octets, _BOUNDS)
        span = extent(found, Zones(found.calendar))
        start, end = (None, None) if span is None else (span.start, span.end)
        yield NewObject(_name(identifier, one.what), uid, "VEVENT", octets, start, end)
