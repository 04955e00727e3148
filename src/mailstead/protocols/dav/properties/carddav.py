"""Properties of CardDAV (RFC 6352 §6.2 and §7.1)."""

from mailstead.protocols.dav.carddav.data import address_data
from mailstead.protocols.dav.hrefs import href
from mailstead.protocols.dav.names import a
from mailstead.protocols.dav.properties.definition import Property
from mailstead.protocols.dav.properties.webdav import any_text
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Principal
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.writer import escape

_BOOK = ("addressbook",)


def _home_set(_: View, resource: Principal) -> str:
    return f"<D:href>{escape(href(resource.address, 'contacts'))}</D:href>"


def _data_types(_: View, __: CollectionResource) -> str:
    return "".join(
        f'<A:address-data-type content-type="text/vcard" version="{version}"/>' for version in ("3.0", "4.0")
    )


def _collations(_: View, __: CollectionResource) -> str:
    return "".join(
        f"<A:supported-collation>{name}</A:supported-collation>"
        for name in ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
    )


def _largest(view: View, _: CollectionResource) -> str:
    return str(view.exchange.settings.dav.object_size)


def _none(_: View, __: CollectionResource) -> None:
    return None


def _data(view: View, resource: ObjectResource) -> str | None:
    octets = view.data.get(resource.row.id)
    return None if octets is None else address_data(view, octets)


PROPERTIES = (
    Property(a("addressbook-home-set"), (Principal,), _home_set),
    Property(a("addressbook-description"), (CollectionResource,), _none, kinds=_BOOK, check=any_text),
    Property(a("supported-address-data"), (CollectionResource,), _data_types, kinds=_BOOK),
    Property(a("supported-collation-set"), (CollectionResource,), _collations, kinds=_BOOK),
    Property(a("max-resource-size"), (CollectionResource,), _largest, kinds=_BOOK),
    Property(a("address-data"), (ObjectResource,), _data, kinds=_BOOK, needs_data=True),
)
