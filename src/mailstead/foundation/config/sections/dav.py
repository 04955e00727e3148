"""Options of calendars and contacts."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, number, size, switch, text


class DavSettings(msgspec.Struct, frozen=True, kw_only=True):
    """CalDAV and CardDAV."""

    object_size: Annotated[int, size("Largest calendar object or card", least=1024)] = 10 * 1024 * 1024
    object_depth: Annotated[int, number("Deepest nesting of an object's components", least=2)] = 8
    object_lines: Annotated[int, number("Most lines of an object", least=100)] = 100_000
    xml_size: Annotated[int, size("Largest XML of a request", least=1024)] = 4 * 1024 * 1024
    xml_depth: Annotated[int, number("Deepest nesting of a request's XML", least=8)] = 32
    xml_elements: Annotated[int, number("Most elements and attributes of a request's XML", least=100)] = 50_000
    recurrence_steps: Annotated[
        int, number("Work that the recurrence of one object may cost; some 2 million steps take a second", least=100)
    ] = 200_000
    recurrence_dates: Annotated[int, number("Most dates that an object lists (RDATE, EXDATE)", least=1)] = 10_000
    instances: Annotated[int, number("Most instances within a year that an object may have", least=1)] = 10_000
    query_time: Annotated[
        float, duration("How long a report may search before it ends with what it has", least=0.1)
    ] = 10.0
    results: Annotated[int, number("Most objects of one answer; the rest is asked for again", least=1)] = 50_000
    collections: Annotated[int, number("Most calendars or address books of an account", least=1)] = 500
    properties: Annotated[int, number("Most properties that clients set on one resource", least=1)] = 200
    property_size: Annotated[int, size("Largest property that clients set", least=256)] = 128 * 1024
    locks: Annotated[int, number("Most locks of an account", least=1)] = 200
    lock_timeout: Annotated[float, duration("Longest life of a lock that is not refreshed", least=1)] = 3600.0
    tombstone_days: Annotated[int, number("Days that deletions are remembered for clients that were away", least=1)] = (
        365
    )
    directory: Annotated[
        Literal["off", "domain"], text("Accounts that everybody sees as a read-only address book: off, or domain")
    ] = "off"
    files: Annotated[bool, switch("Offer a folder for files of any kind at /dav/ADDRESS/files/")] = False
    birthdays: Annotated[
        bool, switch("Give every account a calendar of its contacts' birthdays; each can switch its own on or off")
    ] = False
