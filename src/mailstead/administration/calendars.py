"""Calendars and address books as files: brought in, taken out, listed."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import opened_mailbox
from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.tree import Tree, read_trees
from mailstead.formats.content_lines.write import text_line
from mailstead.formats.icalendar.gathering import put_together, take_apart
from mailstead.formats.vcard.card import read_card
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.mail.scheduling.implicit import has_people
from mailstead.mail.scheduling.storing import limits_of, to_store
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import Collection, CollectionExistsError, NewObject
from mailstead.stores.mailbox.dav.store import DavStore

CollectionKind = Literal["calendar", "addressbook"]
FILE_SIZE = 256 * 1024 * 1024
_BATCH = 200
_MOST_ERRORS = 100


class Imported(msgspec.Struct, frozen=True):
    """What a file came to; `errors` are the first reasons why objects were left out."""

    added: int
    changed: int
    unchanged: int
    failed: int
    errors: tuple[str, ...]


async def list_collections(
    administration: Administration,
    actor: Actor,
    address: str,
    kind: CollectionKind,
    current: str | DataKey | None = None,
) -> list[Collection]:
    """All calendars or address books of a mailbox. Raises as opened_mailbox does."""
    async with opened_mailbox(administration, actor, address, current) as (_, mailbox):
        return await administration.mailboxes.run(mailbox.dav.collections, kind)


async def import_file(
    administration: Administration,
    actor: Actor,
    address: str,
    kind: CollectionKind,
    name: str,
    data: bytes,
    current: str | DataKey | None = None,
) -> Imported:
    """Bring a .ics or .vcf file into a collection, which is made when there is none of that name.

    An object whose UID is there already is replaced; nobody is invited by this. Raises InvalidError for a file that is
    none, OverQuotaError, and as opened_mailbox does.
    """
    if len(data) > FILE_SIZE:
        raise InvalidError(f"A file has at most {FILE_SIZE // 1024**2} MiB")
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        quota = administration.settings.mailbox.quota if alias.quota is None else alias.quota
        done = await administration.mailboxes.run(
            _import, mailbox.dav, kind, name, data, administration.settings, administration.clock.now(), quota
        )
    await administration.audit(actor, f"{kind}.import", alias.address, name=name, added=done.added)
    return done


def _import(
    dav: DavStore, kind: CollectionKind, name: str, data: bytes, settings: Settings, now: float, quota: int
) -> Imported:
    bounds = limits_of(settings.dav, 1).content
    whole = ContentBounds(FILE_SIZE, bounds.depth, 100 * bounds.lines)
    try:
        objects = _objects(kind, data, whole, bounds)
    except ContentError as error:
        raise InvalidError(f"Not a file of {'calendars' if kind == 'calendar' else 'cards'}: {error}") from None
    collection = _collection(dav, kind, name)
    known = {row.uid: row for row in dav.objects(collection.id)}
    counts = {"added": 0, "changed": 0, "unchanged": 0, "failed": 0}
    errors: list[str] = []
    for one in objects:
        if isinstance(one, str):
            counts["failed"] += 1
            errors.append(one)
            continue
        row = known.get(one.uid)
        if row is not None and row.etag == etag_of(one.data):
            counts["unchanged"] += 1
            continue
        if row is not None:
            one = msgspec.structs.replace(one, name=row.name)
        if collection.components and one.component not in collection.components:
            counts["failed"] += 1
            errors.append(f"{one.uid}: this calendar takes no {one.component}")
            continue
        stored, is_new = dav.put(collection.id, one, now, quota=quota)
        known[one.uid] = stored
        counts["added" if is_new else "changed"] += 1
    return Imported(**counts, errors=tuple(errors[:_MOST_ERRORS]))


def find_collection(dav: DavStore, kind: CollectionKind, name: str) -> Collection:
    """The collection; a new mailbox has its first ones. Raises NotFoundError."""
    found = next((one for one in dav.collections(kind) if one.name == name), None)
    if found is None:
        what = "calendar" if kind == "calendar" else "address book"
        raise NotFoundError(f"There is no {what} {name}")
    return found


def _collection(dav: DavStore, kind: CollectionKind, name: str) -> Collection:
    found = next((one for one in dav.collections(kind) if one.name == name), None)
    if found is not None:
        return found
    if not name or len(name) > 200 or not name.isprintable() or "/" in name or "\\" in name or name in (".", ".."):
        raise InvalidError("A collection's name has up to 200 characters and no slash")
    try:
        return dav.create(kind, name, ())
    except CollectionExistsError:
        return dav.collection(kind, name)


def _objects(kind: CollectionKind, data: bytes, whole: ContentBounds, bounds: ContentBounds) -> list[NewObject | str]:
    """What is to be stored, and in its place why something cannot be. Raises ContentError."""
    if kind == "addressbook":
        return [_card(tree, bounds) for tree in read_trees(data, whole)]
    made: list[NewObject | str] = []
    for part in take_apart(data, whole):
        try:
            tag = etag_of(part.data) if has_people(part.data) else ""
            made.append(to_store(_file_name(part.uid, "ics"), part.data, bounds, tag))
        except ContentError as error:
            made.append(f"{part.uid}: {error}")
    return made


def _card(tree: Tree, bounds: ContentBounds) -> NewObject | str:
    if tree.name == "VCARD":
        if not tree.text("UID"):
            tree.add(text_line("UID", hashlib.sha256(tree.octets()).hexdigest()[:32]))
        if tree.first("FN") is None:
            name = tree.first("ORG") or tree.first("EMAIL") or tree.first("N")
            tree.add(text_line("FN", "" if name is None else name.text.replace(";", " ").strip()))
    try:
        card = read_card(tree.octets(), bounds)
    except ContentError as error:
        return f"{tree.text('FN') or tree.text('UID') or tree.name}: {error}"
    return NewObject(_file_name(card.uid, "vcf"), card.uid, "VCARD", tree.octets())


def _file_name(uid: str, suffix: str) -> str:
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:32]}.{suffix}"


async def export_file(
    administration: Administration,
    actor: Actor,
    address: str,
    kind: CollectionKind,
    names: Sequence[str] = (),
    current: str | DataKey | None = None,
) -> bytes:
    """One file of all objects of the named collections, of all of them without names. Raises NotFoundError."""
    async with opened_mailbox(administration, actor, address, current) as (_, mailbox):
        return await administration.mailboxes.run(_export, mailbox.dav, kind, names, administration.settings)


def _export(dav: DavStore, kind: CollectionKind, names: Sequence[str], settings: Settings) -> bytes:
    found = [find_collection(dav, kind, name) for name in names] if names else dav.collections(kind)
    return b"".join(collection_octets(dav, kind, found, settings))


def collection_octets(
    dav: DavStore, kind: CollectionKind, collections: Sequence[Collection], settings: Settings
) -> Iterator[bytes]:
    """One file of all objects of the collections, in pieces. Runs on a thread."""
    objects = (data for one in collections for data in all_octets(dav, one))
    if kind == "addressbook":
        yield from (data if data.endswith(b"\n") else data + b"\r\n" for data in objects)
        return
    title = collections[0].name if len(collections) == 1 else ""
    yield from put_together(objects, limits_of(settings.dav, 1).content, title)


def all_octets(dav: DavStore, collection: Collection) -> Iterator[bytes]:
    """The octets of every object of a collection, by name."""
    rows = dav.objects(collection.id)
    for start in range(0, len(rows), _BATCH):
        batch = [row.id for row in rows[start : start + _BATCH]]
        found = dav.read(batch)
        yield from (found[identifier] for identifier in batch if identifier in found)


async def switch_birthdays(
    administration: Administration, actor: Actor, address: str, *, on: bool, current: str | DataKey | None = None
) -> None:
    """Make the calendar of an account's contacts' birthdays, or take it away. Raises as opened_mailbox does."""
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        await administration.mailboxes.run(mailbox.dav.switch_birthdays, on=on)
    await administration.audit(actor, "calendar.birthdays", alias.address, on=on)
