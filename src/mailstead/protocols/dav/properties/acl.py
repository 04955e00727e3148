"""Properties of access control (RFC 3744 §4 and §5)."""

from collections.abc import Sequence

from mailstead.protocols.dav.access import (
    ALL,
    BIND,
    DELIVER,
    DELIVERIES,
    FREE_BUSY,
    OWNER,
    READ,
    READ_ACL,
    READ_OWN,
    SEND,
    SENDINGS,
    UNBIND,
    UNLOCK,
    WRITE,
    WRITE_ACL,
    WRITE_CONTENT,
    WRITE_PROPERTIES,
)
from mailstead.protocols.dav.hrefs import PREFIX
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.definition import Property, kind_of
from mailstead.protocols.dav.resources import (
    CollectionResource,
    Home,
    ObjectResource,
    Principal,
    Privilege,
    Resource,
    Root,
)
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.writer import element, escape

_ALL = (Root, Principal, Home, CollectionResource, ObjectResource)
_OWNED = (Home, CollectionResource, ObjectResource)
_WORDS = {
    READ: "Read", WRITE: "Write", WRITE_PROPERTIES: "Write properties", WRITE_CONTENT: "Write content",
    BIND: "Add", UNBIND: "Remove", UNLOCK: "Take locks off", READ_ACL: "Read who may do what",
    READ_OWN: "Read what oneself may do", WRITE_ACL: "Change who may do what", ALL: "Everything",
    FREE_BUSY: "See free and busy times", DELIVER: "Send invitations and answers here", SEND: "Send as the owner",
    DELIVERIES[0]: "Invite", DELIVERIES[1]: "Answer", DELIVERIES[2]: "Ask for free and busy times",
    SENDINGS[0]: "Invite as the owner", SENDINGS[1]: "Answer as the owner", SENDINGS[2]: "Ask as the owner",
}  # fmt: skip
_TREE: tuple[tuple[Privilege, tuple[Privilege, ...]], ...] = (
    (READ, (FREE_BUSY,)),
    (WRITE, (WRITE_PROPERTIES, WRITE_CONTENT, BIND, UNBIND)),
    (UNLOCK, ()),
    (READ_ACL, ()),
    (READ_OWN, ()),
    (WRITE_ACL, ()),
)
_SCHEDULING: dict[str, tuple[tuple[Privilege, tuple[Privilege, ...]], ...]] = {
    "inbox": ((DELIVER, DELIVERIES),),
    "outbox": ((SEND, SENDINGS),),
}
_SHARED = "shared with"
_SELF = frozenset((READ, READ_OWN))


def rights_of(resource: Resource) -> frozenset[Privilege]:
    """What who asks may do with a resource."""
    match resource:
        case Principal(is_own=True):
            return OWNER
        case Home(rights=rights) | CollectionResource(rights=rights) | ObjectResource(rights=rights):
            return rights
    return _SELF


def privileges(names: frozenset[Privilege]) -> str:
    """The privileges as XML, in a fixed order."""
    return "".join(f"<D:privilege>{element(name)}</D:privilege>" for name in sorted(names))


def _own_privileges(_: View, resource: Resource) -> str:
    return privileges(rights_of(resource))


def _supported(name: Privilege, inner: str) -> str:
    described = f'<D:description xml:lang="en">{_WORDS[name]}</D:description>'
    return (
        f"<D:supported-privilege><D:privilege>{element(name)}</D:privilege>{described}{inner}</D:supported-privilege>"
    )


def _supported_privileges(_: View, resource: Resource) -> str:
    more = _SCHEDULING.get(kind_of(resource), ())
    inner = "".join(_supported(name, "".join(_supported(one, "") for one in parts)) for name, parts in (*_TREE, *more))
    return _supported(ALL, inner)


def ace(principal: str, names: frozenset[Privilege], *, is_protected: bool) -> str:
    """One entry of DAV:acl; `principal` is XML."""
    protected = "<D:protected/>" if is_protected else ""
    return f"<D:ace><D:principal>{principal}</D:principal><D:grant>{privileges(names)}</D:grant>{protected}</D:ace>"


async def _fetch_shares(view: View, resources: Sequence[Resource]) -> None:
    for resource in resources:
        if isinstance(resource, CollectionResource) and WRITE_ACL in resource.rights:
            found = await view.exchange.services.access.shared_with(view.exchange, resource)
            view.kept[_SHARED, resource.href] = found


def _acl(view: View, resource: Resource) -> str:
    """The owner's entry, which is not to be changed, and those of shares, which only the owner sees."""
    shared: Sequence[tuple[Principal, frozenset[Privilege]]] = view.kept.get((_SHARED, resource.href), ())
    entries = [ace("<D:property><D:owner/></D:property>", frozenset((ALL,)), is_protected=True)]
    for principal, rights in shared:
        granted = rights & {READ, WRITE}
        entries.append(ace(f"<D:href>{escape(principal.href)}</D:href>", granted, is_protected=False))
    return "".join(entries)


def _restrictions(_: View, __: Resource) -> str:
    return "<D:grant-only/><D:no-invert/>"


def _principal_collections(_: View, __: Resource) -> str:
    return f"<D:href>{PREFIX}</D:href>"


def _own_url(_: View, resource: Principal) -> str:
    return f"<D:href>{escape(resource.href)}</D:href>"


def _nothing(_: View, __: Resource) -> str:
    return ""


PROPERTIES = (
    Property(d("current-user-privilege-set"), _ALL, _own_privileges),
    Property(d("supported-privilege-set"), _OWNED, _supported_privileges),
    Property(d("acl"), _OWNED, _acl, prepare=_fetch_shares),
    Property(d("acl-restrictions"), _OWNED, _restrictions),
    Property(d("inherited-acl-set"), _OWNED, _nothing),
    Property(d("principal-collection-set"), _ALL, _principal_collections),
    Property(d("principal-URL"), (Principal,), _own_url),
    Property(d("alternate-URI-set"), (Principal,), _nothing),
    Property(d("group-member-set"), (Principal,), _nothing),
    Property(d("group-membership"), (Principal,), _nothing),
    Property(d("group"), _OWNED, _nothing),
)
