"""GET and HEAD (RFC 9110 §9.3.1)."""

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.vcard.card import read_card
from mailstead.formats.vcard.convert import VERSIONS, Version, converted, write_card
from mailstead.protocols.dav.access import READ, need
from mailstead.protocols.dav.conditions import Conditions, http_date
from mailstead.protocols.dav.content import content_bounds
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.properties.acl import rights_of
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.properties.webdav import content_type
from mailstead.protocols.dav.resources import ObjectResource
from mailstead.protocols.dav.tree import existing, in_collection, not_found

_COLLECTION = b"This is a collection of a WebDAV server: point a calendar or contacts program at it.\n"


async def get(exchange: Exchange, _: PropertyTable) -> Response:
    """The octets of an object as they were stored. Raises DavError."""
    resource = await existing(exchange, exchange.request.path)
    need(rights_of(resource), READ, resource.href)
    if not isinstance(resource, ObjectResource):
        return Response(200, (("Cache-Control", "no-cache"),), _COLLECTION, "text/plain; charset=utf-8")
    conditions = Conditions(exchange)
    await conditions.check_lists(resource)
    row, collection = resource.row, resource.collection
    conditions.check_match(row)
    headers = (
        ("ETag", row.etag),
        *((("Schedule-Tag", row.schedule_tag),) if row.schedule_tag else ()),
        ("Last-Modified", http_date(row.changed_at)),
        ("Cache-Control", "private, no-cache"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "sandbox; default-src 'none'"),
    )
    if conditions.is_unchanged(row):
        return Response(304, headers)
    octets = (await in_collection(exchange, collection, lambda: collection.objects.read([row.id]))).get(row.id)
    if octets is None:
        raise not_found()
    if collection.kind.kind == "addressbook":
        version = _preferred(exchange.request.header("accept"))
        other = None if version is None else _in_version(exchange, octets, version)
        if other is not None:
            # Another form of the card: its ETag would not be the stored one's
            return Response(200, headers[1:], other, f"text/vcard; charset=utf-8; version={version}")
    return Response(200, headers, octets, content_type(resource))


def _preferred(accept: str) -> Version | None:
    """The version that Accept asks for (RFC 6352 §6.1.3), None for any."""
    for part in accept.lower().split(","):
        media_type, *parameters = (one.strip() for one in part.split(";"))
        if media_type not in ("text/vcard", "text/x-vcard", "text/directory"):
            continue
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            for version in VERSIONS:
                if name.strip() == "version" and value.strip().strip('"') == version:
                    return version
    return None


def _in_version(exchange: Exchange, octets: bytes, version: Version) -> bytes | None:
    """The card in that version; None when it has it already, or cannot be read."""
    try:
        card = read_card(octets, content_bounds(exchange.settings.dav))
    except ContentError:
        return None
    return None if card.version == version else write_card(converted(card.component, version), {})
