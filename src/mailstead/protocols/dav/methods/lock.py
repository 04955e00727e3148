"""LOCK and UNLOCK (RFC 4918 §9.10, §9.11)."""

import re
import uuid

from mailstead.protocols.dav.access import BIND, UNLOCK, WRITE_CONTENT, need
from mailstead.protocols.dav.conditions import Conditions, lock_place
from mailstead.protocols.dav.content import new_object
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.locking import active_lock
from mailstead.protocols.dav.message import XML, Response
from mailstead.protocols.dav.names import DECLARATIONS, d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Unmapped
from mailstead.protocols.dav.storing import store
from mailstead.protocols.dav.tree import existing, not_found, target
from mailstead.protocols.dav.walk import depth_of
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import escape, serialise
from mailstead.stores.mailbox.dav.records import Lock

_SECOND = re.compile(r"Second-(\d{1,10})\Z", re.ASCII | re.IGNORECASE)
_OWNER_OCTETS = 8192


def _expires(exchange: Exchange) -> int:
    """When a new lock ends: the first Timeout that is understood, at most what is allowed (RFC 4918 §10.7)."""
    longest = exchange.settings.dav.lock_timeout
    for one in exchange.request.header("timeout").split(","):
        match = _SECOND.match(one.strip())
        if match is not None:
            return int(exchange.now + max(min(int(match[1]), longest), 1))
    return int(exchange.now + longest)


async def lock(exchange: Exchange, _: PropertyTable) -> Response:
    """Lock a resource, or let a lock last longer. Raises DavError."""
    if not exchange.request.body:
        return await _refresh(exchange)
    root = exchange.wanted(d("lockinfo"))
    is_exclusive = _scope(root)
    depth = depth_of(exchange.request, "infinity")
    if depth == "1":
        raise DavError(400, "Depth of a lock is 0 or infinity")
    found = await target(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    await conditions.check(found)
    status = 200
    if isinstance(found, Unmapped):
        found, status = await _made(exchange, found, conditions), 201
    place = lock_place(found)
    if place is None or not isinstance(found, CollectionResource | ObjectResource):
        raise DavError(403, "This resource cannot be locked")
    need(found.rights, WRITE_CONTENT, found.href)
    mailbox, path = place
    owner = root.first(d("owner"))
    written = _owner(owner) if owner is not None else b""
    new = Lock(
        f"urn:uuid:{uuid.uuid4()}",
        path,
        depth == "infinity" and isinstance(found, CollectionResource),
        is_exclusive,
        written,
        exchange.account.address,
        _expires(exchange),
    )
    others = await exchange.run_write(mailbox, mailbox.dav.lock, new, exchange.now, exchange.settings.dav.locks)
    if others:
        raise DavError(423, "Locked", d("no-conflicting-lock"), f"<D:href>{escape(found.href)}</D:href>")
    return _told(exchange, status, new, (found.href, path), (("Lock-Token", f"<{new.token}>"),))


def _scope(root: Element) -> bool:
    """Whether the lock is exclusive. Raises DavError."""
    scope, kind = root.first(d("lockscope")), root.first(d("locktype"))
    if kind is None or kind.first(d("write")) is None or scope is None or len(scope.children) != 1:
        raise DavError(422, "A lock is exclusive or shared, and of writing")
    if scope.first(d("exclusive")) is not None:
        return True
    if scope.first(d("shared")) is not None:
        return False
    raise DavError(422, "A lock is exclusive or shared, and of writing")


def _owner(owner: Element) -> bytes:
    octets = serialise(owner).encode()
    if len(octets) > _OWNER_OCTETS:
        raise DavError(413, "The owner of the lock is too long")
    return octets


async def _made(exchange: Exchange, found: Unmapped, conditions: Conditions) -> ObjectResource:
    """An empty object where nothing was (RFC 4918 §7.3); calendars and address books refuse one."""
    if not isinstance(found.parent, CollectionResource):
        raise DavError(403, "This resource cannot be locked")
    need(found.rights, BIND, found.parent.href)
    new = new_object(found.parent, found.name, b"", "", exchange.settings.dav)
    await store(exchange, found.parent, new, None, conditions)
    made = await existing(exchange, exchange.request.path)
    assert isinstance(made, ObjectResource)
    return made


async def _refresh(exchange: Exchange) -> Response:
    """Let the lock that the If header names last longer (RFC 4918 §9.10.2)."""
    resource = await existing(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    if len(conditions.tokens) != 1:
        raise DavError(400, "One lock is to be named by an If header")
    await conditions.check_lists(resource)
    place = lock_place(resource)
    if place is None:
        raise DavError(403, "This resource cannot be locked")
    mailbox, path = place
    for held in await exchange.run_short(mailbox, mailbox.dav.locks, path, exchange.now):
        if held.token in conditions.tokens and held.principal == exchange.account.address:
            expires = _expires(exchange)
            await exchange.run_write(mailbox, mailbox.dav.refresh_lock, held.token, expires)
            renewed = Lock(held.token, held.path, held.is_deep, held.is_exclusive, held.owner, held.principal, expires)
            return _told(exchange, 200, renewed, (resource.href, path), ())
    raise DavError(412, "There is no such lock", d("lock-token-matches-request-uri"))


def _told(
    exchange: Exchange, status: int, held: Lock, place: tuple[str, str], headers: tuple[tuple[str, str], ...]
) -> Response:
    inner = f"<D:lockdiscovery>{active_lock(exchange, held, *place)}</D:lockdiscovery>"
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<D:prop{DECLARATIONS}>{inner}</D:prop>\n'
    return Response(status, headers, body.encode(), XML)


async def unlock(exchange: Exchange, _: PropertyTable) -> Response:
    """Take a lock off. Raises DavError."""
    token = exchange.request.header("lock-token")
    if not (token.startswith("<") and token.endswith(">")):
        raise DavError(400, "There is no Lock-Token")
    resource = await existing(exchange, exchange.request.path)
    await Conditions(exchange).check_lists(resource)
    place = lock_place(resource)
    if place is None:
        raise not_found()
    mailbox, path = place
    for held in await exchange.run_short(mailbox, mailbox.dav.locks, path, exchange.now):
        if held.token == token[1:-1]:
            if held.principal != exchange.account.address:
                need(rights_of(resource), UNLOCK, resource.href)
            await exchange.run_write(mailbox, mailbox.dav.unlock, held.token)
            return Response(204)
    raise DavError(409, "There is no such lock here", d("lock-token-matches-request-uri"))
