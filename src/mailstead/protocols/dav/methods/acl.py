"""ACL (RFC 3744 §8.1): who else sees a calendar or address book. An entry is a share; what is not named is taken back."""

from collections.abc import Mapping

from mailstead.protocols.dav.access import (
    ALL,
    BIND,
    FREE_BUSY,
    READ,
    READ_OWN,
    UNBIND,
    UNLOCK,
    WRITE,
    WRITE_ACL,
    WRITE_CONTENT,
    WRITE_PROPERTIES,
    need,
)
from mailstead.protocols.dav.conditions import Conditions, lock_place
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import path_of, split_path
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource
from mailstead.protocols.dav.tree import existing
from mailstead.protocols.dav.xml.reader import Element
from mailstead.stores.directory.names import InvalidAddressError, split_address
from mailstead.stores.sharing.shares import Rights

_READING = frozenset((READ, READ_OWN, FREE_BUSY))
_WRITING = frozenset((WRITE, WRITE_PROPERTIES, WRITE_CONTENT, BIND, UNBIND, UNLOCK))
_WHOLE = frozenset((WRITE_CONTENT, BIND, UNBIND))  # what WRITE comes to for objects
_MOST = 200


async def acl(exchange: Exchange, _: PropertyTable) -> Response:
    """Set who else may do what with a collection. Raises DavError."""
    root = exchange.wanted(d("acl"))
    resource = await existing(exchange, exchange.request.path)
    conditions = Conditions(exchange)
    await conditions.check(resource)
    need(rights_of(resource), WRITE_ACL, resource.href)
    if not isinstance(resource, CollectionResource) or resource.kind.kind not in ("calendar", "addressbook"):
        raise DavError(403, "Calendars and address books are shared as a whole", d("no-ace-conflict"))
    place = lock_place(resource)
    if place is None:
        raise DavError(403, "This collection cannot be shared", d("no-ace-conflict"))
    mailbox, path = place
    conditions.check_locks(await exchange.run_short(mailbox, mailbox.dav.locks, path, exchange.now))
    await exchange.services.access.share(exchange, resource, _wanted(exchange, root, resource))
    return Response(200)


def _wanted(exchange: Exchange, root: Element, resource: CollectionResource) -> Mapping[str, Rights]:
    """What each address is to be allowed. Entries that nobody can change say nothing new. Raises DavError."""
    wanted: dict[str, Rights] = {}
    for ace in root.all(d("ace")):
        if ace.first(d("protected")) is not None or ace.first(d("inherited")) is not None:
            continue
        if ace.first(d("deny")) is not None:
            raise DavError(403, "What is not granted is denied", d("grant-only"))
        if ace.first(d("invert")) is not None:
            raise DavError(403, "An entry names a principal", d("no-invert"))
        principal, grant = ace.first(d("principal")), ace.first(d("grant"))
        if principal is None or grant is None:
            raise DavError(400, "An entry has a principal and a grant")
        if any(one.first(d("owner")) is not None for one in principal.all(d("property"))):
            continue
        address = _address(exchange, principal)
        if address == resource.owner:
            continue
        names = {one.tag for privilege in grant.all(d("privilege")) for one in privilege.children}
        rights = _rights(names)
        wanted[address] = "write" if "write" in (rights, wanted.get(address)) else rights
    if len(wanted) > _MOST:
        raise DavError(403, f"At most {_MOST} entries", d("limited-number-of-aces"))
    return wanted


def _address(exchange: Exchange, principal: Element) -> str:
    href = principal.text_of(d("href"))
    if href is None:
        raise DavError(403, "An entry names the principal of an account", d("allowed-principal"))
    segments = split_path(path_of(href.strip(), exchange.request.host))
    refused = DavError(403, "There is no such principal", d("recognized-principal"))
    if len(segments) != 1:
        raise refused
    try:
        return "@".join(split_address(segments[0]))
    except InvalidAddressError:
        raise refused from None


def _rights(names: set[str]) -> Rights:
    """The share that privileges come to. Raises DavError for those that no share is."""
    if not names <= {*_READING, *_WRITING, ALL}:
        raise DavError(403, "There is no such privilege to be granted", d("not-supported-privilege"))
    if ALL in names:
        raise DavError(403, "Only the owner may do everything", d("no-ace-conflict"))
    if WRITE in names or names >= _WHOLE:
        return "write"
    if names & _WRITING or READ not in names:
        raise DavError(403, "A collection is shared to be read, or to be read and written", d("no-ace-conflict"))
    return "read"
