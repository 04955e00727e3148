"""Calendars of a mailbox: the same that CalDAV serves."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put

from mailstead.formats.icalendar.calendar_object import ENTRIES
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.dav import (
    COLOR,
    DESCRIPTIONS,
    NAME,
    TIME_ZONE,
    found_collection,
    identifier,
    property_value,
    text_property,
)
from mailstead.interfaces.api.mailbox import opened
from mailstead.interfaces.api.pages import PageLimit, PageNumber, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.dav.records import Collection
from mailstead.stores.mailbox.mailbox import Mailbox

LETTER = "C"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Color = Annotated[str, msgspec.Meta(pattern=r"^(#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?)?$")]
Zone = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+/-]{0,100}$")]


class CalendarShown(msgspec.Struct, frozen=True):
    """A calendar; `path` is its name below the address's calendars in DAV, `sync_token` grows with every change."""

    id: str
    name: str
    path: str
    description: str
    color: str
    timezone: str
    components: tuple[str, ...]
    events: int
    size: int
    sync_token: int
    object: str = "calendar"


class CalendarWanted(msgspec.Struct, frozen=True):
    """A calendar to be made."""

    name: Name
    description: Text = ""
    color: Color = ""
    timezone: Zone = ""
    components: Annotated[list[str], msgspec.Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["VEVENT"]
    )


class CalendarChange(msgspec.Struct, frozen=True):
    """What to change; what is left out stays, "" removes."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    description: Text | msgspec.UnsetType = msgspec.UNSET
    color: Color | msgspec.UnsetType = msgspec.UNSET
    timezone: Zone | msgspec.UnsetType = msgspec.UNSET


def _shown(collection: Collection, properties: dict[str, bytes]) -> CalendarShown:
    return CalendarShown(
        identifier(LETTER, collection.id),
        text_property(properties, NAME) or collection.name,
        collection.name,
        text_property(properties, DESCRIPTIONS["calendar"]),
        text_property(properties, COLOR),
        text_property(properties, TIME_ZONE),
        collection.components,
        collection.objects,
        collection.size,
        collection.token,
    )


def _one(mailbox: Mailbox, calendar_id: str) -> CalendarShown:
    found = found_collection(mailbox, "calendar", LETTER, calendar_id)
    return _shown(found, mailbox.dav.properties(found.id))


def _add(mailbox: Mailbox, wanted: CalendarWanted, name: str, most: int) -> CalendarShown:
    if len(mailbox.dav.collections("calendar")) >= most:
        raise InvalidError(f"At most {most} calendars")
    values = {
        NAME: property_value(NAME, wanted.name),
        DESCRIPTIONS["calendar"]: property_value(DESCRIPTIONS["calendar"], wanted.description),
        COLOR: property_value(COLOR, wanted.color),
        TIME_ZONE: property_value(TIME_ZONE, wanted.timezone),
    }
    components = tuple(dict.fromkeys(one.upper() for one in wanted.components))
    if not set(components) <= set(ENTRIES):
        raise InvalidError(f"A calendar takes some of {', '.join(ENTRIES)}")
    made = mailbox.dav.create("calendar", name, components, {key: value for key, value in values.items() if value})
    return _one(mailbox, identifier(LETTER, made.id))


def _change(mailbox: Mailbox, calendar_id: str, change: CalendarChange) -> CalendarShown:
    found = found_collection(mailbox, "calendar", LETTER, calendar_id)
    named = {"name": NAME, "description": DESCRIPTIONS["calendar"], "color": COLOR, "timezone": TIME_ZONE}
    changes = {
        name: property_value(name, value)
        for theirs, name in named.items()
        if (value := getattr(change, theirs)) is not msgspec.UNSET
    }
    if changes:
        mailbox.dav.set_properties(found.id, changes)
    return _one(mailbox, calendar_id)


def _remove(mailbox: Mailbox, calendar_id: str) -> CalendarShown:
    gone = _one(mailbox, calendar_id)
    mailbox.dav.delete_collection(found_collection(mailbox, "calendar", LETTER, calendar_id).id)
    return gone


class CalendarController(Controller):
    """/calendars"""

    path = "/calendars"
    tags = ("Calendars",)
    opt = {"access": MAILBOX}

    @get("/", summary="Calendars")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[CalendarShown]]:
        """The mailbox's own; one and a list of tasks are there from the start."""
        mailbox = await opened(services, identity)
        found = [_shown(*one) for one in await services.mailboxes.run(mailbox.dav.described, "calendar")]
        page = page_of(number, limit, usual=1000, most=services.settings.api.page_limit)
        return paged(request, found[page.offset : page.offset + page.limit], len(found), page)

    @post("/", status_code=200, summary="Make a calendar")
    async def add(self, data: CalendarWanted, identity: Identity, services: ApiServices) -> CalendarShown:
        """Programs see it at their next look."""
        name = new_ulid(services.clock.now()).lower()
        most = services.settings.dav.collections
        return await services.mailboxes.run(_add, await opened(services, identity), data, name, most)

    @get("/{calendar_id:str}", summary="One calendar")
    async def show(self, calendar_id: str, identity: Identity, services: ApiServices) -> CalendarShown:
        """By its id."""
        return await services.mailboxes.run(_one, await opened(services, identity), calendar_id)

    @put("/{calendar_id:str}", summary="Change a calendar")
    async def change(
        self, calendar_id: str, data: CalendarChange, identity: Identity, services: ApiServices
    ) -> CalendarShown:
        """Its name, color and description."""
        return await services.mailboxes.run(_change, await opened(services, identity), calendar_id, data)

    @delete("/{calendar_id:str}", status_code=200, summary="Remove a calendar with its events")
    async def remove(self, calendar_id: str, identity: Identity, services: ApiServices) -> CalendarShown:
        """For good, and nobody is told: cancel meetings first."""
        gone = await services.mailboxes.run(_remove, await opened(services, identity), calendar_id)
        await services.administration.audit(identity.actor, "calendar.remove", identity.address, calendar=gone.path)
        return gone
