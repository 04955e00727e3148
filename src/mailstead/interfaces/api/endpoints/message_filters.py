"""Filters of message lists, from query parameters to criteria."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.api.moments import parse_moment
from mailstead.interfaces.reading.query import HAS_ATTACHMENT, read_query
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.search import criteria as c

_Text = Annotated[str, msgspec.Meta(max_length=500)]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of messages may be narrowed by; all that is given must hold."""

    q: _Text = ""
    search: _Text = ""
    subject: _Text = ""
    body: _Text = ""
    text: _Text = ""
    sender: _Text = ""
    recipient: _Text = ""
    headers: _Text = ""
    message_id: _Text = ""
    since: str = ""
    before: str = ""
    min_size: int | None = None
    max_size: int | None = None
    is_unread: bool | None = None
    is_flagged: bool | None = None
    is_deleted: bool | None = None
    is_draft: bool | None = None
    has_attachment: bool | None = None


_FLAGS: Mapping[str, tuple[int, bool]] = {
    "is_unread": (Flag.SEEN, False),
    "is_flagged": (Flag.FLAGGED, True),
    "is_deleted": (Flag.DELETED, True),
    "is_draft": (Flag.DRAFT, True),
}


def criterion_of(filters: Filters) -> c.Criterion | None:
    """The criterion; None when nothing is asked for. Raises InvalidError."""
    found: list[c.Criterion] = []
    for query in (filters.q, filters.search):
        read = read_query(query) if query else None
        if read is not None:
            found.append(read)
    if filters.subject:
        found.append(c.Field("subject", filters.subject))
    if filters.sender:
        found.append(c.Field("from", filters.sender))
    if filters.recipient:
        found.append(c.Or(c.Field("to", filters.recipient), c.Field("cc", filters.recipient)))
    if filters.body:
        found.append(c.Body(filters.body))
    if filters.text:
        found.append(c.Text(filters.text))
    if filters.message_id:
        found.append(c.Header("message-id", filters.message_id.strip("<>")))
    if filters.headers:
        name, colon, value = filters.headers.partition(":")
        if not colon or not name.strip():
            raise InvalidError("headers is a name, a colon and a text")
        found.append(c.Header(name.strip(), value.strip()))
    if filters.since:
        found.append(c.Date("sent", since=int(parse_moment(filters.since))))
    if filters.before:
        found.append(c.Date("sent", before=int(parse_moment(filters.before))))
    if filters.min_size is not None:
        found.append(c.Size(larger=max(filters.min_size - 1, 0)))
    if filters.max_size is not None:
        found.append(c.Size(smaller=filters.max_size + 1))
    for name, (flag, is_set) in _FLAGS.items():
        wanted: bool | None = getattr(filters, name)
        if wanted is not None:
            criterion = c.FlagIs(flag)
            found.append(criterion if wanted == is_set else c.Not(criterion))
    if filters.has_attachment is not None:
        found.append(HAS_ATTACHMENT if filters.has_attachment else c.Not(HAS_ATTACHMENT))
    return c.And(tuple(found)) if found else None
