"""DELETE (RFC 4918 §9.6)."""

from mailstead.protocols.dav.access import UNBIND, need
from mailstead.protocols.dav.conditions import Conditions
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Change
from mailstead.protocols.dav.kinds import BOXES
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource
from mailstead.protocols.dav.storing import mailbox_of, old_data
from mailstead.protocols.dav.tree import existing, not_found
from mailstead.protocols.dav.walk import depth_of, objects
from mailstead.stores.mailbox.dav.records import (
    NoSuchCollectionError,
    NoSuchObjectError,
    ObjectRow,
    PreconditionFailedError,
)


async def delete(exchange: Exchange, _: PropertyTable) -> Response:
    """Delete an object, or a collection with all that is in it. Raises DavError."""
    if "#" in exchange.request.path:
        raise DavError(400, "A fragment cannot be deleted")
    found = await existing(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    match found:
        case ObjectResource():
            await conditions.check(found)
            return Response(204, await _object(exchange, found, conditions))
        case CollectionResource():
            await conditions.check(found)
            return await _collection(exchange, found, conditions)
    raise DavError(403, "This resource cannot be deleted")


async def _object(exchange: Exchange, resource: ObjectResource, conditions: Conditions) -> tuple[tuple[str, str], ...]:
    collection, row = resource.collection, resource.row
    need(collection.rights, UNBIND, collection.href)
    mailbox, hooks = mailbox_of(collection), exchange.services.hooks
    change = Change("delete", collection, row.name, row, await old_data(exchange, collection, row), None)
    kept = await hooks.before(exchange, change)
    try:
        await exchange.run_write(
            mailbox,
            mailbox.dav.delete,
            collection.record.id,
            row.name,
            exchange.now,
            guard=conditions.guard,
            if_match=row.etag if hooks.wants_old_data else None,
            owes=kept.owes,
        )
    except (NoSuchObjectError, NoSuchCollectionError):
        raise not_found() from None
    except PreconditionFailedError:
        raise DavError(412, "The object changed meanwhile") from None
    return await hooks.after(exchange, change, kept, None)


async def _collection(exchange: Exchange, resource: CollectionResource, conditions: Conditions) -> Response:
    need(resource.home.rights, UNBIND, resource.home.href)
    if resource.owner != resource.home.holder.address:
        await exchange.services.access.leave(exchange, resource)
        return Response(204)
    if depth_of(exchange.request, "infinity") != "infinity":
        raise DavError(400, "A collection is deleted with all that is in it")
    if resource.kind.kind in BOXES:
        raise DavError(403, "The scheduling inbox and outbox cannot be deleted")
    if resource.record.kind == "files" and not resource.record.name:
        raise DavError(403, "The outermost folder cannot be deleted")
    mailbox, hooks = mailbox_of(resource), exchange.services.hooks
    changes = await collection_changes(exchange, resource) if hooks.wants_old_data else []
    kept = [await hooks.before(exchange, change) for change in changes]
    owes = [record for one in kept for record in one.owes]
    token = resource.record.token if owes else None
    try:
        await exchange.run(
            mailbox.dav.delete_tree, resource.record, exchange.now, conditions.without_etags, token=token, owes=owes
        )
    except NoSuchCollectionError:
        raise not_found() from None
    except PreconditionFailedError:
        raise DavError(412, "Something in the collection changed meanwhile") from None
    for change, one in zip(changes, kept, strict=True):
        await hooks.after(exchange, change, one, None)
    return Response(204)


async def collection_changes(exchange: Exchange, collection: CollectionResource) -> list[Change]:
    """What the deletion of a collection means for each of its objects."""
    rows: list[ObjectRow] = []
    async for batch in objects(exchange, collection):
        rows += [one.row for one in batch if isinstance(one, ObjectResource)]
    octets = await exchange.run(collection.objects.read, [row.id for row in rows])
    return [Change("delete", collection, row.name, row, octets.get(row.id), None) for row in rows]
