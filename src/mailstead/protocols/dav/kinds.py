"""The kinds of collections: where they live below a principal, and what tells them apart."""

import msgspec

from mailstead.protocols.dav.names import a, c, d
from mailstead.stores.mailbox.dav.records import Kind


class HomeKind(msgspec.Struct, frozen=True):
    """A home: its segment in paths, the kind of its collections in the store, and their DAV:resourcetype."""

    segment: str
    kind: Kind
    resource_types: tuple[str, ...]
    media_type: str
    title: str


HOMES = (
    HomeKind("calendars", "calendar", (d("collection"), c("calendar")), "text/calendar", "Calendars"),
    HomeKind("contacts", "addressbook", (d("collection"), a("addressbook")), "text/vcard", "Contacts"),
    HomeKind("files", "files", (d("collection"),), "application/octet-stream", "Files"),
    HomeKind("inbox", "inbox", (d("collection"), c("schedule-inbox")), "text/calendar", "Invitations"),
    HomeKind("outbox", "outbox", (d("collection"), c("schedule-outbox")), "text/calendar", "Outbox"),
)
BOXES = ("inbox", "outbox")
"""Homes that are collections themselves (RFC 6638 §2)."""
BY_SEGMENT = {home.segment: home for home in HOMES}
BY_KIND = {home.kind: home for home in HOMES}
