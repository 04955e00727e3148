"""Properties of WebDAV itself: RFC 4918 §15, RFC 4331, RFC 5397, RFC 6578 §4, RFC 3253 §3.1.5, RFC 5995 §3.2.1."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mailstead.protocols.dav.conditions import http_date, lock_place
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.locking import active_lock
from mailstead.protocols.dav.names import a, c, d, s
from mailstead.protocols.dav.properties.definition import Property
from mailstead.protocols.dav.resources import (
    CollectionResource,
    Home,
    ObjectResource,
    Principal,
    Resource,
    Root,
)
from mailstead.protocols.dav.sync_token import sync_token
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import element, escape
from mailstead.stores.mailbox.dav.collections import TITLES
from mailstead.stores.mailbox.dav.records import Lock
from mailstead.stores.mailbox.mailbox import Mailbox

_ALL = (Root, Principal, Home, CollectionResource, ObjectResource)
_COLLECTIONS = (Root, Principal, Home, CollectionResource)
_USAGE, _LOCKS = "usage", "locks"


def any_text(_: object, value: Element) -> None:
    """A property whose value is text. Raises DavError."""
    if value.children:
        raise DavError(409, "The property's value is text")


def _display_name(_: View, resource: Resource) -> str | None:
    match resource:
        case Principal(name=name):
            return escape(name)
        case Home(kind=kind):
            return kind.title
        case CollectionResource(kind=kind, record=record):
            return escape(TITLES.get((kind.kind, record.name), record.name.rpartition("/")[2] or kind.title))
    return None


def _resource_type(_: View, resource: Resource) -> str:
    match resource:
        case Principal():
            return "<D:collection/><D:principal/>"
        case CollectionResource(kind=kind):
            return "".join(element(name) for name in kind.resource_types)
        case ObjectResource():
            return ""
    return "<D:collection/>"


def content_type(resource: ObjectResource) -> str:
    """The media type of an object."""
    kind = resource.collection.kind
    if kind.kind == "calendar":
        return f"text/calendar; charset=utf-8; component={resource.row.component.lower()}"
    if kind.kind == "addressbook":
        return "text/vcard; charset=utf-8"
    return resource.row.component or kind.media_type


def _content_type(_: View, resource: Resource) -> str | None:
    return escape(content_type(resource)) if isinstance(resource, ObjectResource) else None


def _etag(_: View, resource: ObjectResource) -> str:
    return resource.row.etag


def _length(_: View, resource: ObjectResource) -> str:
    return str(resource.row.size)


def _modified(_: View, resource: ObjectResource) -> str:
    return http_date(resource.row.changed_at)


def _created(_: View, resource: ObjectResource) -> str:
    return datetime.fromtimestamp(resource.row.changed_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _current_principal(view: View, _: Resource) -> str:
    return f"<D:href>{escape(Principal(view.exchange.account.address, '', True).href)}</D:href>"


def _supported_locks(_: View, __: Resource) -> str:
    return "".join(
        f"<D:lockentry><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
        for scope in ("exclusive", "shared")
    )


async def _fetch_locks(view: View, resources: Sequence[Resource]) -> None:
    kept: dict[str, list[Lock]] = view.kept.setdefault(_LOCKS, {})
    exchange = view.exchange
    for resource in resources:
        place = lock_place(resource)
        if place is not None and place[0].id not in kept:
            mailbox = place[0]
            kept[mailbox.id] = await exchange.run_short(mailbox, mailbox.dav.all_locks, exchange.now)


def _lock_discovery(view: View, resource: Resource) -> str:
    place = lock_place(resource)
    if place is None:
        return ""
    mailbox, path = place
    return "".join(
        active_lock(view.exchange, one, resource.href, path)
        for one in view.kept[_LOCKS][mailbox.id]
        if one.path == path or (one.is_deep and path.startswith(f"{one.path}/"))
    )


def _sync_token(_: View, resource: CollectionResource) -> str | None:
    return None if resource.kind.kind == "files" else escape(sync_token(resource.record))


def _ctag(_: View, resource: CollectionResource) -> str:
    return escape(f'"{resource.record.id}-{resource.record.token}"')


async def _fetch_usage(view: View, resources: Sequence[Resource]) -> None:
    kept: dict[str, int] = view.kept.setdefault(_USAGE, {})
    for resource in resources:
        mailbox = _mailbox(view, resource)
        if mailbox is not None and mailbox.id not in kept:
            kept[mailbox.id] = (await view.exchange.run_short(mailbox, mailbox.usage)).size


def _mailbox(view: View, resource: Resource) -> Mailbox | None:
    match resource:
        case Home(holder=holder):
            return holder.mailbox
        case CollectionResource(mailbox=mailbox):
            return mailbox
        case Principal(is_own=True):
            return view.exchange.own.mailbox
    return None


def _quota(view: View, resource: Resource) -> int:
    match resource:
        case Home(holder=holder):
            return holder.quota
        case CollectionResource(quota=quota):
            return quota
    return view.exchange.own.quota


def _quota_used(view: View, resource: Resource) -> str | None:
    mailbox = _mailbox(view, resource)
    return None if mailbox is None else str(view.kept[_USAGE][mailbox.id])


def _quota_available(view: View, resource: Resource) -> str | None:
    mailbox = _mailbox(view, resource)
    return None if mailbox is None else str(max(_quota(view, resource) - view.kept[_USAGE][mailbox.id], 0))


_REPORTS = {
    "calendar": (c("calendar-query"), c("calendar-multiget"), c("free-busy-query")),
    "inbox": (c("calendar-multiget"),),
    "addressbook": (a("addressbook-query"), a("addressbook-multiget")),
}
_EVERYWHERE = (d("expand-property"), d("principal-match"), d("principal-property-search"))
_PRINCIPAL_REPORTS = (d("principal-search-property-set"), d("acl-principal-prop-set"))


def _supported_reports(_: View, resource: Resource) -> str:
    names = [*_EVERYWHERE, *_PRINCIPAL_REPORTS]
    if isinstance(resource, CollectionResource):
        names += [*_REPORTS.get(resource.kind.kind, ())]
        if resource.kind.kind != "files":
            names.append(d("sync-collection"))
    return "".join(f"<D:supported-report><D:report>{element(name)}</D:report></D:supported-report>" for name in names)


def _add_member(_: View, resource: CollectionResource) -> str:
    return f"<D:href>{escape(resource.href)}?add-member</D:href>"


def _owner(_: View, resource: Resource) -> str | None:
    match resource:
        case Home(holder=holder):
            owner = holder.address
        case CollectionResource(owner=owner):
            pass
        case ObjectResource(collection=collection):
            owner = collection.owner
        case _:
            return None
    return f"<D:href>{escape(Principal(owner, '', False).href)}</D:href>"


PROPERTIES = (
    Property(d("resourcetype"), _ALL, _resource_type, in_all=True),
    Property(
        d("displayname"), (Principal, Home, CollectionResource, ObjectResource), _display_name, True, check=any_text
    ),
    Property(d("getcontenttype"), (ObjectResource,), _content_type, in_all=True),
    Property(d("getetag"), (ObjectResource,), _etag, in_all=True),
    Property(d("getcontentlength"), (ObjectResource,), _length, in_all=True),
    Property(d("getlastmodified"), (ObjectResource,), _modified, in_all=True),
    Property(d("creationdate"), (ObjectResource,), _created, in_all=True),
    Property(d("supportedlock"), (CollectionResource, ObjectResource), _supported_locks, in_all=True),
    Property(d("lockdiscovery"), (CollectionResource, ObjectResource), _lock_discovery, True, prepare=_fetch_locks),
    Property(d("current-user-principal"), _ALL, _current_principal),
    Property(d("owner"), (Home, CollectionResource, ObjectResource), _owner),
    Property(d("sync-token"), (CollectionResource,), _sync_token),
    Property(s("getctag"), (CollectionResource,), _ctag),
    Property(d("quota-used-bytes"), (Principal, Home, CollectionResource), _quota_used, prepare=_fetch_usage),
    Property(d("quota-available-bytes"), (Principal, Home, CollectionResource), _quota_available, prepare=_fetch_usage),
    Property(d("supported-report-set"), _ALL, _supported_reports),
    Property(d("add-member"), (CollectionResource,), _add_member),
)
