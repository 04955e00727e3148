"""Properties of scheduling (RFC 6638 §2.1.1, §2.2.1, §3.2.10, §9)."""

from collections.abc import Sequence
from urllib.parse import unquote

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.availability import read_availability, unavailable
from mailstead.formats.icalendar.occurrences import ExpansionBounds
from mailstead.formats.icalendar.recurrence import RecurrenceLimitError
from mailstead.mail.scheduling.storing import AVAILABILITY, default_calendar
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.hrefs import encode, href
from mailstead.protocols.dav.names import c, d
from mailstead.protocols.dav.properties.definition import Property
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource, Principal, Resource
from mailstead.protocols.dav.view import View
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.records import NoSuchCollectionError

_DEFAULT = "default-calendar"
_BOUNDS = ContentBounds(size=128 * 1024, depth=4, lines=5000)
_YEAR = 366 * 86400


def _inbox(_: View, resource: Principal) -> str | None:
    return f"<D:href>{escape(href(resource.address, 'inbox'))}</D:href>" if resource.is_own else None


def _outbox(_: View, resource: Principal) -> str | None:
    return f"<D:href>{escape(href(resource.address, 'outbox'))}</D:href>" if resource.is_own else None


def _tag(_: View, resource: ObjectResource) -> str | None:
    return escape(resource.row.schedule_tag) if resource.row.schedule_tag else None


async def _fetch_default(view: View, resources: Sequence[Resource]) -> None:
    for resource in resources:
        if isinstance(resource, CollectionResource) and resource.kind.kind == "inbox" and resource.mailbox is not None:
            found = await view.exchange.run(default_calendar, resource.mailbox.dav, "VEVENT")
            view.kept[_DEFAULT] = found.name


def _default(view: View, resource: CollectionResource) -> str | None:
    name: str | None = view.kept.get(_DEFAULT)
    if name is None:
        return None
    path = href(resource.home.holder.address, "calendars") + f"{encode(name)}/"
    return f"<D:href>{escape(path)}</D:href>"


def _check_default(resource: CollectionResource, value: Element) -> None:
    """A calendar of the inbox's owner (RFC 6638 §4.3.1.2). Raises DavError."""
    refused = DavError(403, "There is no such calendar", c("valid-schedule-default-calendar-URL"))
    text = (value.text_of(d("href")) or "").strip().rstrip("/")
    home = href(resource.home.holder.address, "calendars")
    path, _, name = text.rpartition("/")
    if resource.mailbox is None or not unquote(path).endswith(unquote(home).rstrip("/")):
        raise refused
    try:
        resource.mailbox.dav.collection("calendar", unquote(name))
    except NoSuchCollectionError:
        raise refused from None


def _none(_: View, __: CollectionResource) -> None:
    return None


def _check_availability(_: CollectionResource, value: Element) -> None:
    """RFC 7953 §7.2.4. Raises DavError."""
    try:
        calendar = read_availability(value.text.strip().encode(), _BOUNDS)
        unavailable(calendar, 0, _YEAR, ExpansionBounds())
    except (ContentError, RecurrenceLimitError) as error:
        raise DavError(403, f"Not availability: {error}", c("valid-calendar-data")) from None


PROPERTIES = (
    Property(AVAILABILITY, (CollectionResource,), _none, kinds=("inbox",), check=_check_availability),
    Property(c("schedule-inbox-URL"), (Principal,), _inbox),
    Property(c("schedule-outbox-URL"), (Principal,), _outbox),
    Property(c("schedule-tag"), (ObjectResource,), _tag, kinds=("calendar",)),
    Property(
        c("schedule-default-calendar-URL"),
        (CollectionResource,),
        _default,
        kinds=("inbox",),
        prepare=_fetch_default,
        check=_check_default,
    ),
)
