"""COPY and MOVE (RFC 4918 §9.8, §9.9)."""

from collections.abc import Sequence

from mailstead.foundation.errors import OverQuotaError
from mailstead.protocols.dav.access import BIND, UNBIND, WRITE_CONTENT, need
from mailstead.protocols.dav.conditions import Conditions
from mailstead.protocols.dav.content import new_object
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Change, Kept
from mailstead.protocols.dav.hrefs import path_of
from mailstead.protocols.dav.kinds import BOXES
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.properties.webdav import content_type
from mailstead.protocols.dav.resources import CollectionResource, Found, Home, ObjectResource, Unmapped
from mailstead.protocols.dav.storing import mailbox_of, old_data, over_quota, uid_conflict
from mailstead.protocols.dav.tree import existing, in_collection, not_found, target
from mailstead.protocols.dav.walk import depth_of
from mailstead.stores.mailbox.dav.records import (
    Collection,
    CollectionExistsError,
    NoSuchCollectionError,
    NoSuchObjectError,
    ObjectRow,
    PreconditionFailedError,
    UidConflictError,
)
from mailstead.stores.mailbox.dav.trees import joined


async def copy(exchange: Exchange, _: PropertyTable) -> Response:
    """COPY. Raises DavError."""
    return await _transfer(exchange, is_move=False)


async def move(exchange: Exchange, _: PropertyTable) -> Response:
    """MOVE. Raises DavError."""
    return await _transfer(exchange, is_move=True)


async def _transfer(exchange: Exchange, *, is_move: bool) -> Response:
    request = exchange.request
    destination = request.header("destination")
    if not destination:
        raise DavError(400, "There is no Destination")
    overwrite = request.header("overwrite").upper() or "T"
    if overwrite not in ("T", "F"):
        raise DavError(400, "Overwrite is T or F")
    source = await existing(exchange, request.path)
    found = await target(exchange, path_of(destination, request.host))
    if found.href.rstrip("/") == source.href.rstrip("/"):
        raise DavError(403, "Source and destination are the same")
    conditions = Conditions(exchange)
    await conditions.check(source)
    if not isinstance(found, Unmapped) and overwrite == "F":
        raise DavError(412, "There is something at the destination")
    match source:
        case ObjectResource():
            return await _object(exchange, source, found, conditions, is_move=is_move)
        case CollectionResource():
            return await _tree(exchange, source, found, conditions, is_move=is_move)
    raise DavError(403, "This resource cannot be copied or moved")


async def _object(
    exchange: Exchange, source: ObjectResource, found: Found, conditions: Conditions, *, is_move: bool
) -> Response:
    replaced: Collection | None = None
    old: ObjectRow | None = None
    match found:
        case ObjectResource(collection=folder, row=there):
            need(found.rights, WRITE_CONTENT, found.href)
            old, name = there, there.name
        case Unmapped(parent=CollectionResource() as folder, name=name):
            need(folder.rights, BIND, folder.href)
        case CollectionResource(record=record) if record.kind == "files" and record.name:
            folder, name, replaced = await _around(exchange, found), record.name.rpartition("/")[2], record
            need(folder.rights, UNBIND, folder.href)
        case Unmapped() | Home():
            raise DavError(403, "Objects are in collections", c("calendar-collection-location-ok"))
        case _:
            raise DavError(403, "This resource cannot be replaced")
    if is_move:
        need(source.collection.rights, UNBIND, source.collection.href)
    collection, row, settings = source.collection, source.row, exchange.settings.dav
    octets = (await in_collection(exchange, collection, lambda: collection.objects.read([row.id]))).get(row.id)
    if octets is None:
        raise not_found()
    if collection.kind.kind != folder.kind.kind and "files" not in (collection.kind.kind, folder.kind.kind):
        raise DavError(403, "Calendars and address books hold different things", c("supported-calendar-data"))
    new = await exchange.run(new_object, folder, name, octets, content_type(source), settings)
    hooks = exchange.services.hooks
    change = Change(
        "move" if is_move else "copy", folder, name, old, await old_data(exchange, folder, old), new, collection
    )
    changes = [change]
    if is_move and collection.kind.kind != folder.kind.kind:  # RFC 6638 §3.2.3.4: for the source it is a DELETE
        changes.append(Change("delete", collection, row.name, row, octets, None))
    kept = [await hooks.before(exchange, one) for one in changes]
    is_new = await _carried(exchange, source, folder, old, kept, conditions, replaced, is_move=is_move)
    headers = [await hooks.after(exchange, one, what, None) for one, what in zip(changes, kept, strict=True)]
    return Response(201 if is_new else 204, headers[0])


async def _carried(
    exchange: Exchange,
    source: ObjectResource,
    folder: CollectionResource,
    there: ObjectRow | None,
    kept: Sequence[Kept],
    conditions: Conditions,
    replaced: Collection | None,
    *,
    is_move: bool,
) -> bool:
    """Do it: within a mailbox in one transaction, else by storing first and deleting then. Whether it is new there."""
    mailbox = mailbox_of(folder)
    own = source.collection.mailbox
    guard = conditions.without_etags
    new, owes = kept[0].new, kept[0].owes
    assert new is not None
    left = [record for one in kept[1:] for record in one.owes]
    try:
        if own is not None and own.id == mailbox.id:
            _, is_new = await exchange.run(
                mailbox.dav.transfer,
                source.collection.record.id,
                source.row,
                folder.record.id,
                new,
                exchange.now,
                guard,
                is_move=is_move,
                replaced=replaced,
                quota=None if is_move else folder.quota,
                there=there,
                owes=(*owes, *left),
            )
            return is_new
        if is_move:
            mailbox_of(source.collection)
        _, is_new = await exchange.run(
            mailbox.dav.put,
            folder.record.id,
            new,
            exchange.now,
            if_match=there.etag if owes and there is not None else None,
            if_none_match=bool(owes) and there is None,
            quota=folder.quota,
            guard=guard,
            owes=owes,
        )
        if is_move and own is not None:
            await exchange.run(
                own.dav.delete,
                source.collection.record.id,
                source.row.name,
                exchange.now,
                if_match=source.row.etag,
                guard=guard,
                owes=left,
            )
        return is_new
    except UidConflictError as error:
        raise uid_conflict(folder, error.name) from None
    except PreconditionFailedError:
        raise DavError(412, "The object changed meanwhile") from None
    except OverQuotaError:
        raise over_quota() from None
    except (NoSuchCollectionError, NoSuchObjectError):
        raise not_found() from None


async def _around(exchange: Exchange, folder: CollectionResource) -> CollectionResource:
    """The folder that a folder is in."""
    outer = await existing(exchange, folder.href.rstrip("/").rpartition("/")[0] + "/")
    assert isinstance(outer, CollectionResource)
    return outer


async def _tree(
    exchange: Exchange, source: CollectionResource, found: Found, conditions: Conditions, *, is_move: bool
) -> Response:
    depth = depth_of(exchange.request, "infinity")
    if depth == "1" or (is_move and depth != "infinity"):
        raise DavError(400, "A collection is moved with all that is in it, and copied with all or nothing of it")
    record, home = source.record, source.home
    mailbox = mailbox_of(source)
    if mailbox.id != home.holder.mailbox.id:
        raise DavError(403, "Another owner's collection cannot be copied or moved as a whole")
    if record.kind in BOXES or (record.kind == "files" and not record.name):
        raise DavError(403, "This collection stays where it is")
    replaced: Collection | None = None
    target_object: tuple[Collection, str] | None = None
    match found:
        case Unmapped(parent=Home() as place, name=name):
            pass
        case Unmapped(parent=CollectionResource(home=place, record=outer), name=name) if outer.kind == "files":
            name = joined(outer.name, name)
        case CollectionResource(home=place, record=replaced, mailbox=other) if other and other.id == mailbox.id:
            name = replaced.name
        case ObjectResource(collection=CollectionResource(home=place, record=outer), row=row) if outer.kind == "files":
            target_object, name = (outer, row.name), joined(outer.name, row.name)
        case _:
            raise DavError(403, "A collection cannot be put there", c("calendar-collection-location-ok"))
    if place.kind.kind != record.kind or place.holder.mailbox.id != mailbox.id:
        raise DavError(403, "A collection cannot be put there", c("calendar-collection-location-ok"))
    if name == record.name or name.startswith(f"{record.name}/") or (replaced and record.name.startswith(f"{name}/")):
        raise DavError(403, "A collection cannot be put into itself")
    need(place.rights, BIND, place.href)
    need(rights_of(home) if is_move else place.rights, UNBIND if is_move else BIND, home.href)
    try:
        if target_object is not None:
            await exchange.run(
                mailbox.dav.replace_by_tree,
                target_object,
                record,
                name,
                exchange.now,
                conditions.without_etags,
                is_move=is_move,
            )
        else:
            await exchange.run(
                mailbox.dav.transfer_tree,
                record,
                name,
                exchange.now,
                conditions.without_etags,
                is_move=is_move,
                deep=depth == "infinity",
                replaced=replaced,
                quota=source.quota,
            )
    except CollectionExistsError:
        raise DavError(409, "There is something at the destination") from None
    except OverQuotaError:
        raise over_quota() from None
    except (NoSuchCollectionError, NoSuchObjectError):
        raise not_found() from None
    is_new = replaced is None and target_object is None
    return Response(201 if is_new else 204)
