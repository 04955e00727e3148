"""DAV:sync-collection (RFC 6578 §3.2)."""

from collections.abc import AsyncIterator

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import encode
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.multistatus import Answer, bare_response, multistatus, selection
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, Resource
from mailstead.protocols.dav.sync_token import parse_sync_token, sync_token
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.walk import as_resources, portions
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.records import CollectionChanges, InvalidTokenError, NoSuchCollectionError


def result_limit(exchange: Exchange, root: Element, name: str) -> int:
    """DAV:nresults within a limit element, at most what is allowed. Raises DavError."""
    most = exchange.settings.dav.results
    limit = root.first(name)
    if limit is None:
        return most
    text = next((child.text.strip() for child in limit.children if child.tag.endswith("}nresults")), "")
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) == 0:
        raise DavError(400, "A limit is a number")
    return min(int(text), most)


async def sync_collection(exchange: Exchange, table: PropertyTable, resource: Resource, root: Element) -> Response:
    """What changed since a token, and the token to ask with next. Raises DavError."""
    if not isinstance(resource, CollectionResource) or resource.kind.kind == "files":
        raise DavError(403, "Only calendars and address books are synchronised", d("supported-report"))
    level = root.text_of(d("sync-level")) or exchange.request.header("depth")
    if level not in ("1", "infinite", "infinity"):
        raise DavError(400, "DAV:sync-level is 1 or infinite")
    text = root.text_of(d("sync-token")) or ""
    since = parse_sync_token(text, resource.record) if text else None
    invalid = DavError(403, "The sync token is not valid", d("valid-sync-token"))
    if text and since is None:
        raise invalid
    most = result_limit(exchange, root, d("limit"))

    def read() -> tuple[CollectionChanges, dict[int, dict[str, bytes]]]:
        changes = resource.objects.changes(resource.record.id, since, most)
        return changes, resource.objects.object_properties(resource.record.id)

    try:
        changes, properties = await exchange.run(read)
    except InvalidTokenError:
        raise invalid from None
    except NoSuchCollectionError:
        raise DavError(404, "The collection does not exist") from None
    selected = selection(root)
    answer = Answer(View(exchange, selected.asked), table, selected)
    token = sync_token(resource.record, changes.token)
    base = exchange.spelled(resource.href)

    async def chunks() -> AsyncIterator[bytes]:
        for batch in portions(changes.changed):
            yield await answer.render(as_resources(resource, batch, properties))
        tail = "".join([bare_response(base + encode(name), 404) for name in changes.deleted])
        if changes.is_more:
            tail += bare_response(base, 507, d("number-of-matches-within-limits"))
        yield f"{tail}<D:sync-token>{escape(token)}</D:sync-token>".encode()

    return await multistatus(chunks())
