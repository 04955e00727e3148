"""A:address-data: a card as it was stored, in the other version, or some of its properties (RFC 6352 §10.4)."""

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.vcard.card import read_card
from mailstead.formats.vcard.convert import VERSIONS, Version, converted, write_card
from mailstead.protocols.dav.content import content_bounds
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import a
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import escape

_WANTED = "address-data"


class Wanted(msgspec.Struct, frozen=True):
    """A version, None for the stored one, and properties (False: without the value), none for all."""

    version: Version | None = None
    properties: tuple[tuple[str, bool], ...] = ()


def wanted_version(media_type: str, version: str | None) -> Version | None:
    """The version that is asked for, None for any. Raises DavError."""
    if media_type.lower() not in ("text/vcard", "text/x-vcard", "text/directory"):
        raise DavError(415, "Cards are text/vcard", a("supported-address-data"))
    if version is None:
        return None
    for known in VERSIONS:
        if version == known:
            return known
    raise DavError(415, "Cards have version 3.0 or 4.0", a("supported-address-data"))


def wanted_data(element: Element) -> Wanted:
    """What A:address-data asks for. Raises DavError."""
    media_type = element.attributes.get("content-type", "text/vcard")
    version = element.attributes.get("version") or ("3.0" if "content-type" in element.attributes else None)
    properties = tuple(
        (one.attributes.get("name", "").upper(), one.attributes.get("novalue", "no") != "yes")
        for one in element.all(a("prop"))
    )
    return Wanted(wanted_version(media_type, version), properties)


def address_data(view: View, octets: bytes) -> str | None:
    """The content of A:address-data; None for a card that cannot be read. Raises DavError."""
    wanted: Wanted | None = view.kept.get(_WANTED)
    if wanted is None:
        wanted = view.kept[_WANTED] = wanted_data(view.asked[a("address-data")])
    if wanted.version is None and not wanted.properties:
        return escape(octets.decode("utf-8", "replace"))
    try:
        card = read_card(octets, content_bounds(view.exchange.settings.dav))
    except ContentError:
        return None
    component = card.component
    if wanted.version is not None and wanted.version != card.version:
        component = converted(component, wanted.version)
    elif not wanted.properties:
        return escape(octets.decode("utf-8", "replace"))
    return escape(write_card(component, dict(wanted.properties)).decode("utf-8", "replace"))
