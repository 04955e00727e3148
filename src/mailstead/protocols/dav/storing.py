"""An object is stored: conditions, locks, hooks, the one transaction, and what the client is told."""

from mailstead.foundation.errors import OverQuotaError
from mailstead.protocols.dav.conditions import Conditions
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hooks import Cause, Change
from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import a, c, d
from mailstead.protocols.dav.resources import CollectionResource
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.records import (
    NewObject,
    NoSuchCollectionError,
    ObjectRow,
    PreconditionFailedError,
    UidConflictError,
)
from mailstead.stores.mailbox.mailbox import Mailbox

_LARGE = 64 * 1024  # more octets than this are not read on the event loop


def is_large(data: bytes) -> bool:
    """Whether to read an object on a thread."""
    return len(data) > _LARGE


def mailbox_of(collection: CollectionResource) -> Mailbox:
    """Where the collection is kept. Raises DavError for one that is not."""
    if collection.mailbox is None:
        raise DavError(403, "This collection is made by the server")
    return collection.mailbox


def uid_conflict(collection: CollectionResource, name: str) -> DavError:
    """The refusal of a second object with a UID (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1)."""
    condition = c("no-uid-conflict") if collection.kind.kind == "calendar" else a("no-uid-conflict")
    href = f"<D:href>{escape(collection.href + encode(name))}</D:href>"
    return DavError(409, "Another object has that UID", condition, href)


def over_quota() -> DavError:
    """RFC 4331 §6."""
    return DavError(507, "The mailbox is full", d("quota-not-exceeded"))


async def old_data(exchange: Exchange, collection: CollectionResource, row: ObjectRow | None) -> bytes | None:
    """The octets that a change is about to replace, when a hook wants them."""
    if row is None or not exchange.services.hooks.wants_old_data:
        return None
    mailbox = mailbox_of(collection)
    return (await exchange.run_short(mailbox, mailbox.dav.read, [row.id])).get(row.id)


async def store(
    exchange: Exchange,
    collection: CollectionResource,
    new: NewObject,
    old: ObjectRow | None,
    conditions: Conditions,
    cause: Cause = "put",
) -> Response:
    """Store the object; 201 or 204, with its ETag when the octets are the client's own. Raises DavError."""
    mailbox, hooks = mailbox_of(collection), exchange.services.hooks
    change = Change(cause, collection, new.name, old, await old_data(exchange, collection, old), new)
    kept = await hooks.before(exchange, change)
    stored = kept.new
    assert stored is not None
    try:
        row, is_new = await exchange.run_write(
            mailbox,
            mailbox.dav.put,
            collection.record.id,
            stored,
            exchange.now,
            quota=collection.quota,
            guard=conditions.guard,
            # a hook that looked at what was there must not have looked at something else
            if_match=old.etag if old is not None and hooks.wants_old_data else None,
            if_none_match=old is None and hooks.wants_old_data,
            owes=kept.owes,
        )
    except UidConflictError as error:
        raise uid_conflict(collection, error.name) from None
    except PreconditionFailedError:
        raise DavError(412, "The object changed meanwhile") from None
    except OverQuotaError:
        raise over_quota() from None
    except NoSuchCollectionError:
        raise DavError(409, "The collection does not exist") from None
    headers = await hooks.after(exchange, change, kept, row)
    if stored.data is new.data:
        headers = (("ETag", row.etag), *headers)
    return Response(201 if is_new else 204, headers)
