"""From paths to resources."""

from collections.abc import Callable
from typing import TypeVar

from mailstead.mail.scheduling.storing import box_of
from mailstead.protocols.dav.access import BOX_RIGHTS, FILLED, OWNER
from mailstead.protocols.dav.directory import directory_book
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import PREFIX, split_path
from mailstead.protocols.dav.kinds import BOXES, BY_SEGMENT, HOMES, HomeKind
from mailstead.protocols.dav.resources import (
    CollectionResource,
    Found,
    Home,
    ObjectResource,
    Resource,
    Root,
    Unmapped,
)
from mailstead.stores.directory.names import InvalidAddressError, split_address
from mailstead.stores.mailbox.dav.records import (
    Collection,
    CollectionExistsError,
    Kind,
    NoSuchCollectionError,
    ObjectRow,
)
from mailstead.stores.mailbox.mailbox import Mailbox

T = TypeVar("T")
_NOT_FOUND = "There is no such resource"


def not_found() -> DavError:
    """The same refusal for what is not there and for what may not be seen."""
    return DavError(404, _NOT_FOUND)


def home_kinds(exchange: Exchange) -> list[HomeKind]:
    """The homes of a principal."""
    return [one for one in HOMES if one.kind != "files" or exchange.settings.dav.files]


async def find(exchange: Exchange, path: str) -> Found:
    """What is at a path, or that nothing is there. Raises DavError: 404 when its parent is not there either."""
    segments = split_path(path)
    if not segments:
        return Root() if path.startswith(PREFIX) else Root("/")
    try:
        local, domain = split_address(segments[0])
    except InvalidAddressError:
        raise not_found() from None
    address = f"{local}@{domain}"
    if len(segments) == 1:
        principal = await exchange.services.access.principal(exchange, address)
        if principal is None:
            raise not_found()
        return principal
    kind = BY_SEGMENT.get(segments[1])
    if kind is None or kind not in home_kinds(exchange):
        raise not_found()
    holder = await exchange.services.access.holder(exchange, address)
    if holder is None:
        raise not_found()
    home = Home(holder, kind, await exchange.services.access.home_rights(exchange, holder))
    if kind.kind == "files":
        return await _file(exchange, home, segments[2:])
    if kind.kind in BOXES:
        return await _box(exchange, home, segments[2:])
    if len(segments) == 2:
        return home
    collection = await _collection(exchange, home, segments[2])
    if collection is None:
        if len(segments) == 3:
            return Unmapped(home, segments[2])
        raise _no_parent()
    if len(segments) == 3:
        return collection
    if len(segments) > 4:
        raise _no_parent()
    return await _object(exchange, collection, segments[3])


def _no_parent() -> DavError:
    return NoParentError(404, _NOT_FOUND)


class NoParentError(DavError):
    """Neither a resource nor the collection it would be in is there: 409 to those who want to make it."""


async def existing(exchange: Exchange, path: str) -> Resource:
    """What is at a path. Raises DavError 404."""
    found = await find(exchange, path)
    if isinstance(found, Unmapped):
        raise not_found()
    return found


async def target(exchange: Exchange, path: str) -> Found:
    """What is at a path where something is to be made. Raises DavError 409 without a parent (RFC 4918 §9.7.1)."""
    try:
        return await find(exchange, path)
    except NoParentError:
        raise DavError(409, "The collection that it would be in does not exist") from None


def of_home(home: Home, record: Collection, properties: dict[str, bytes]) -> CollectionResource:
    """A collection of the home's own mailbox, seen by its owner."""
    mailbox, quota = home.holder.mailbox, home.holder.quota
    rights = FILLED if record.is_made else OWNER
    return CollectionResource(
        home, record.name, record, rights, mailbox.dav, home.holder.address, mailbox, quota, properties
    )


async def _collection(exchange: Exchange, home: Home, name: str) -> CollectionResource | None:
    access = exchange.services.access
    mailbox = home.holder.mailbox
    try:
        record, properties = await exchange.run_short(mailbox, _described, home, name)
    except NoSuchCollectionError:
        beside = [*await access.others(exchange, home), *await directory_book(exchange, home)]
        return next((other for other in beside if other.path == name), None)
    return await access.seen(exchange, of_home(home, record, properties))


def _described(home: Home, name: str) -> tuple[Collection, dict[str, bytes]]:
    store = home.holder.mailbox.dav
    try:
        return store.find_described(home.kind.kind, name)
    except NoSuchCollectionError:
        store.collections(home.kind.kind)  # makes the first ones
        return store.find_described(home.kind.kind, name)


async def collections(exchange: Exchange, home: Home) -> list[CollectionResource]:
    """All collections that are shown in a home."""
    access, mailbox = exchange.services.access, home.holder.mailbox
    if exchange.settings.dav.birthdays and mailbox is exchange.own.mailbox:
        await exchange.run_short(mailbox, _with_birthdays, mailbox)
    found = []
    for record, properties in await exchange.run_short(mailbox, mailbox.dav.described, home.kind.kind):
        seen = await access.seen(exchange, of_home(home, record, properties))
        if seen is not None:
            found.append(seen)
    found += await access.others(exchange, home)
    names = {one.path for one in found}
    return [*found, *(one for one in await directory_book(exchange, home) if one.path not in names)]


def _with_birthdays(mailbox: Mailbox) -> None:
    """The setting holds for who never said otherwise."""
    if mailbox.dav.birthdays() is None:
        mailbox.dav.switch_birthdays(on=True)


async def _object(exchange: Exchange, collection: CollectionResource, name: str) -> ObjectResource | Unmapped:
    def read() -> tuple[ObjectRow | None, dict[str, bytes]]:
        row = collection.objects.find(collection.record.id, name)
        if row is None:
            return None, {}
        return row, collection.objects.object_properties(collection.record.id).get(row.id, {})

    row, properties = await in_collection(exchange, collection, read)
    return Unmapped(collection, name) if row is None else ObjectResource(collection, row, properties)


async def in_collection(exchange: Exchange, collection: CollectionResource, read: Callable[[], T]) -> T:
    """Call `read`, which reads a little of a collection."""
    if collection.mailbox is None:
        return read()
    return await exchange.run_short(collection.mailbox, read)


async def children(exchange: Exchange, collection: CollectionResource) -> list[CollectionResource]:
    """The collections directly in a folder of files."""
    if collection.kind.kind != "files" or collection.mailbox is None:
        return []
    found = await exchange.run_short(collection.mailbox, collection.mailbox.dav.children, collection.record)
    return [of_home(collection.home, record, properties) for record, properties in found]


async def _box(exchange: Exchange, home: Home, segments: tuple[str, ...]) -> Found:
    """The inbox or outbox, or a message in it."""
    mailbox, kind = home.holder.mailbox, home.kind.kind
    record, properties = await exchange.run_write(mailbox, _made_box, mailbox, kind)
    rights = BOX_RIGHTS[kind]
    found = CollectionResource(
        home, "", record, rights, mailbox.dav, home.holder.address, mailbox, home.holder.quota, properties
    )
    if not segments:
        return found
    if len(segments) > 1:
        raise _no_parent()
    return await _object(exchange, found, segments[0])


def _made_box(mailbox: Mailbox, kind: Kind) -> tuple[Collection, dict[str, bytes]]:
    record = box_of(mailbox.dav, kind)
    return record, mailbox.dav.properties(record.id)


async def _file(exchange: Exchange, home: Home, segments: tuple[str, ...]) -> Found:
    """A folder or file: the longest path that is a folder, and at most one name in it."""
    name = "/".join(segments)
    folder = await _folder(exchange, home, name)
    if folder is not None:
        return folder
    parent = await _folder(exchange, home, "/".join(segments[:-1]))
    if parent is None:
        raise _no_parent()
    return await _object(exchange, parent, segments[-1])


async def _folder(exchange: Exchange, home: Home, name: str) -> CollectionResource | None:
    mailbox = home.holder.mailbox
    try:
        record, properties = await exchange.run_short(mailbox, mailbox.dav.find_described, "files", name)
    except NoSuchCollectionError:
        if name:
            return None
        record, properties = await exchange.run_write(mailbox, _outermost, mailbox), {}
    return of_home(home, record, properties)


def _outermost(mailbox: Mailbox) -> Collection:
    try:
        return mailbox.dav.create("files", "", ())
    except CollectionExistsError:  # somebody else asked at the same time
        return mailbox.dav.collection("files", "")
