"""One event: made, changed, answered, taken away."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.foundation.errors import InvalidError, MailsteadError, NotFoundError
from mailstead.interfaces.calendars.changes import (
    Answer,
    Scope,
    answer_event,
    change_event,
    component_at,
    is_recurring,
    remove_event,
)
from mailstead.interfaces.calendars.collections import Shown, choose, collections_of
from mailstead.interfaces.calendars.days import zone_named
from mailstead.interfaces.calendars.event import EventForm, form_of, new_calendar, times_of
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import local_path, moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.zone import zone_of
from mailstead.mail.scheduling.calendar_user import bare, is_mail, partstat
from mailstead.mail.scheduling.series import Series, read_series
from mailstead.mail.scheduling.storing import limits_of

_SCOPES: dict[str, Scope] = {"this": "this", "future": "future", "all": "all"}
_ANSWERS: dict[str, Answer] = {"ACCEPTED": "ACCEPTED", "TENTATIVE": "TENTATIVE", "DECLINED": "DECLINED"}
Short = Annotated[str, msgspec.Meta(max_length=300)]
Long = Annotated[str, msgspec.Meta(max_length=50_000)]
Key = Annotated[str, QueryParameter(max_length=60)]
Name = Annotated[str, QueryParameter(max_length=300)]
At = Annotated[str, QueryParameter(max_length=20)]


class EventFields(msgspec.Struct, frozen=True):
    """The form of an event. `name` and `at` are empty for a new one; boxes that are not ticked are empty."""

    calendar: Short = ""
    name: Short = ""
    at: Short = ""
    etag: Short = ""
    scope: Short = "all"
    title: Short = ""
    all_day: Short = ""
    start_day: Short = ""
    start_time: Short = ""
    end_day: Short = ""
    end_time: Short = ""
    zone: Short = "UTC"
    place: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    notes: Long = ""
    repeat: Short = ""
    rule: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    until: Short = ""
    people: Long = ""
    alarm: Short = ""
    is_free: Short = ""
    is_private: Short = ""
    back: Short = ""

    @property
    def form(self) -> EventForm:
        """What was entered."""
        return EventForm(
            title=self.title,
            all_day=bool(self.all_day),
            start_day=self.start_day,
            start_time=self.start_time,
            end_day=self.end_day,
            end_time=self.end_time,
            zone=zone_named(self.zone).key,
            place=self.place,
            notes=self.notes,
            repeat=self.repeat,
            until=self.until,
            people=self.people,
            alarm=self.alarm,
            is_free=bool(self.is_free),
            is_private=bool(self.is_private),
            rule=self.rule,
        )


class PersonShown(msgspec.Struct, frozen=True):
    """Somebody of an event, with the answer."""

    name: str
    address: str
    answer: str
    is_organizer: bool


class _Found(msgspec.Struct, frozen=True):
    calendar: Shown
    series: Series
    data: bytes
    etag: str


def _instant(text: str) -> int | None:
    """The instance's time in epoch seconds; None for the whole."""
    digits = text.removeprefix("-")
    if not text:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12:
        raise InvalidError("There is no such event")
    return int(text)


def people_shown(series: Series, at: int | None) -> list[PersonShown]:
    """The organizer and those invited."""
    component = component_at(series, at if at is not None and series.master is not None else None)
    organizer = "" if component.first("ORGANIZER") is None else bare(component.value("ORGANIZER"))
    return [
        PersonShown(_name(line), bare(line.value), partstat(line), bare(line.value) == organizer)
        for line in component.all("ATTENDEE")
    ]


def _name(line: ContentLine) -> str:
    address = bare(line.value)
    name = " ".join((line.parameter("CN") or "").split())[:100]
    return "" if name.lower() == address else name


def moved_form(form: EventForm, to: EventFields, zone: str) -> EventForm:
    """The form at another start, which is told on the clock of `zone`. Raises InvalidError."""
    start, end = times_of(form)
    wanted = EventForm(start_day=to.start_day, start_time=to.start_time, end_day=to.start_day, end_time=to.start_time)
    begin = times_of(wanted)[0].replace(tzinfo=zone_named(zone)).astimezone(zone_named(form.zone)).replace(tzinfo=None)
    last = begin + (end - start)
    return msgspec.structs.replace(
        form,
        start_day=f"{begin:%Y-%m-%d}",
        start_time=f"{begin:%H:%M}",
        end_day=f"{last:%Y-%m-%d}",
        end_time=f"{last:%H:%M}",
    )


class CalendarEventPages(Controller):
    """/calendar/event"""

    path = "/calendar"
    include_in_schema = False

    @get("/new")
    async def ask_new(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        on: Annotated[str, QueryParameter(max_length=10)] = "",
        at: Annotated[str, QueryParameter(max_length=5)] = "",
    ) -> Response[bytes]:
        """The form for a new event."""
        zone = zone_of(request)
        now = datetime.fromtimestamp(services.api.clock.now(), UTC).astimezone(zone)
        start = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
        with suppress(ValueError):  # a day that is none: the next hour
            start = datetime.fromisoformat(f"{on or f'{start:%Y-%m-%d}'}T{at or f'{start:%H:%M}'}").replace(tzinfo=None)
        end = start + timedelta(hours=1)
        form = EventForm(
            start_day=f"{start:%Y-%m-%d}",
            start_time=f"{start:%H:%M}",
            end_day=f"{end:%Y-%m-%d}",
            end_time=f"{end:%H:%M}",
            zone=zone.key,
        )
        return await self._form(request, services, identity, form, EventFields(), None)

    @get("/event")
    async def ask_change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        calendar: Key = "",
        name: Name = "",
        at: At = "",
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """An event: to read, to answer, to change."""
        found = await self._found(services, identity, calendar, name)
        instant = _instant(at)
        series = found.series
        shown = component_at(series, instant if is_recurring(series) or series.master is None else None)
        me = frozenset([identity.address.lower()])
        try:
            form = form_of(series, shown, zone_of(request), me)
        except ContentError as error:
            raise InvalidError(f"This event cannot be shown: {error}") from None
        if is_recurring(series) and series.master is not None and shown is not series.master and not form.repeat:
            rule = form_of(series, series.master, zone_of(request), me)
            form = msgspec.structs.replace(form, repeat=rule.repeat, until=rule.until, rule=rule.rule)
        fields = EventFields(calendar=calendar, name=name, at=at, etag=found.etag)
        return await self._form(request, services, identity, form, fields, found, told=told)

    @post("/save", status_code=200)
    async def save(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[EventFields, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Store it; who is concerned is told."""
        form = data.form
        try:
            await self._save(services, identity, data, form)
        except (InvalidError, ContentError) as error:
            text = error.public_text if isinstance(error, MailsteadError) else str(error)
            found = await self._found(services, identity, data.calendar, data.name) if data.name else None
            return await self._form(request, services, identity, form, data, found, problem=text)
        return moved(f"/calendar/?on={form.start_day}&told=saved")

    async def _save(self, services: WebServices, identity: Identity, data: EventFields, form: EventForm) -> None:
        editor, now, me = services.api.calendars, services.api.clock.now(), identity.address.lower()
        if not data.name:
            calendar = await self._calendar(services, identity, data.calendar)
            author = calendar.owner or me
            uid, octets = new_calendar(form, author, now)
            await editor.put(calendar.mailbox, calendar.record.id, f"{uid}.ics", octets, service="web")
            return
        found = await self._found(services, identity, data.calendar, data.name)
        choose([found.calendar], data.calendar, to_write=True)
        scope = _SCOPES.get(data.scope, "all")
        author = found.calendar.owner or me
        changed = change_event(found.data, _instant(data.at), scope, form, author, now, self._bounds(services))
        place = (found.calendar.mailbox, found.calendar.record.id)
        if changed.data is not None:
            etag = data.etag or found.etag
            await editor.put(*place, data.name, changed.data, service="web", if_match=etag)
        if changed.more is not None:
            uid = read_series(changed.more, self._bounds(services)).uid
            await editor.put(*place, f"{uid}.ics", changed.more, service="web")

    @post("/move", status_code=200)
    async def move(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[EventFields, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Put one instance to another time, as long as it was."""
        found = await self._found(services, identity, data.calendar, data.name)
        choose([found.calendar], data.calendar, to_write=True)
        series, at, zone = found.series, _instant(data.at), zone_of(request)
        component = component_at(series, at if is_recurring(series) or series.master is None else None)
        form = moved_form(form_of(series, component, zone, frozenset([identity.address.lower()])), data, zone.key)
        author = found.calendar.owner or identity.address.lower()
        changed = change_event(found.data, at, "this", form, author, services.api.clock.now(), self._bounds(services))
        assert changed.data is not None
        place = (found.calendar.mailbox, found.calendar.record.id, data.name)
        await services.api.calendars.put(*place, changed.data, service="web", if_match=found.etag)
        return moved(f"/calendar/?on={form.start_day}&told=saved")

    @post("/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[EventFields, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Take it away; who is invited is told."""
        found = await self._found(services, identity, data.calendar, data.name)
        choose([found.calendar], data.calendar, to_write=True)
        scope = _SCOPES.get(data.scope, "all")
        changed = remove_event(found.data, _instant(data.at), scope, self._bounds(services))
        place = (found.calendar.mailbox, found.calendar.record.id, data.name)
        if changed.data is None:
            await services.api.calendars.delete(*place, service="web", if_match=found.etag)
        else:
            await services.api.calendars.put(*place, changed.data, service="web", if_match=found.etag)
        return moved(f"/calendar/?on={data.start_day}&told=removed")

    @post("/answer", status_code=200)
    async def answer(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[EventFields, Body(media_type=RequestEncodingType.URL_ENCODED)],
        to: Annotated[str, QueryParameter(max_length=10)] = "",
    ) -> Response[bytes]:
        """Answer an invitation; the organizer is told."""
        answer = _ANSWERS.get(to)
        if answer is None:
            raise InvalidError("There is no such answer")
        found = await self._found(services, identity, data.calendar, data.name)
        instant = _instant(data.at) if data.scope == "this" else None
        own = frozenset([identity.address.lower()])
        octets = answer_event(found.data, instant, answer, own, self._bounds(services))
        place = (found.calendar.mailbox, found.calendar.record.id, data.name)
        await services.api.calendars.put(*place, octets, service="web", if_match=found.etag)
        return moved(local_path(data.back) if data.back else f"/calendar/?on={data.start_day}&told=answered")

    @staticmethod
    def _bounds(services: WebServices) -> ContentBounds:
        return limits_of(services.api.settings.dav, 1).content

    async def _calendar(self, services: WebServices, identity: Identity, key: str) -> Shown:
        """The calendar to put a new event into."""
        mailbox = await opened(services, identity)
        calendars = await collections_of(services.api.administration, mailbox, "calendar")
        return choose([one for one in calendars if one.takes("VEVENT")], key, to_write=True)

    async def _found(self, services: WebServices, identity: Identity, key: str, name: str) -> _Found:
        mailbox = await opened(services, identity)
        calendar = choose(await collections_of(services.api.administration, mailbox, "calendar"), key)
        dav, identifier = calendar.mailbox.dav, calendar.record.id

        def read() -> tuple[bytes, str] | None:
            row = dav.find(identifier, name)
            octets = None if row is None else dav.read([row.id]).get(row.id)
            return None if row is None or octets is None else (octets, row.etag)

        octets = await services.api.mailboxes.run(read)
        if octets is None:
            raise NotFoundError("There is no such event")
        try:
            series = read_series(octets[0], self._bounds(services))
        except ContentError as error:
            raise InvalidError(f"This event cannot be shown: {error}") from None
        return _Found(calendar, series, *octets)

    async def _form(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        form: EventForm,
        fields: EventFields,
        found: _Found | None,
        *,
        problem: str = "",
        told: str = "",
    ) -> Response[bytes]:
        mailbox = await opened(services, identity)
        calendars = [
            one
            for one in await collections_of(services.api.administration, mailbox, "calendar")
            if one.takes("VEVENT") and one.can_write
        ]
        me = identity.address.lower()
        series = None if found is None else found.series
        people = [] if series is None else people_shown(series, _instant(fields.at))
        organizer = "" if series is None else series.organizer
        owner = me if found is None else (found.calendar.owner or me)
        is_mine = not organizer or organizer == owner
        return render(
            request,
            services,
            "calendar/event.html",
            identity=identity,
            form=form,
            fields=fields,
            calendars=calendars,
            calendar=None if found is None else found.calendar,
            people=people,
            organizer=organizer if is_mail(organizer) else "",
            is_mine=is_mine,
            can_write=found is None or (found.calendar.can_write and is_mine),
            own_answer=next((one.answer for one in people if one.address == owner), "") if not is_mine else "",
            is_recurring=series is not None and is_recurring(series),
            problem=problem,
            told=told,
            status=400 if problem else 200,
        )
