"""The calendar: a day, a week, a month, or what comes next."""

import asyncio
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date, format_skeleton
from litestar import Controller, Request, Response, get
from litestar.params import QueryParameter

from mailstead.interfaces.calendars.collections import Shown, collections_of
from mailstead.interfaces.calendars.days import Block, EventShown, blocks_of, events_between, order
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.language import Language
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render
from mailstead.interfaces.web.zone import zone_of
from mailstead.mail.scheduling.storing import limits_of

View = Literal["day", "week", "month", "agenda"]
VIEWS: tuple[View, ...] = ("day", "week", "month", "agenda")
_AGENDA_DAYS = 42
_CHIPS = 4


class DayShown(msgspec.Struct, frozen=True):
    """A day with what touches it: whole days above, the rest laid out by time."""

    day: date
    name: str
    full_name: str
    is_today: bool
    is_other: bool
    long: list[EventShown]
    blocks: list[Block]
    events: list[EventShown]

    @property
    def chips(self) -> list[EventShown]:
        """As many as a month's cell has room for."""
        return self.events if len(self.events) <= _CHIPS else self.events[: _CHIPS - 1]


class Span(msgspec.Struct, frozen=True):
    """The days that a view shows, the view before and after it, and what it is called."""

    days: list[date]
    before: date
    after: date
    title: str


def span_of(view: View, on: date, language: Language) -> Span:
    """The days of a view around a day."""
    locale = language.locale
    if view == "day":
        title = str(format_date(on, "full", locale=locale))
        return Span([on], on - timedelta(days=1), on + timedelta(days=1), title)
    if view == "agenda":
        days = [on + timedelta(days=number) for number in range(_AGENDA_DAYS)]
        month = str(format_skeleton("yMMMM", on, locale=locale))
        return Span(days, on - timedelta(days=_AGENDA_DAYS), on + timedelta(days=_AGENDA_DAYS), month)
    first_weekday = int(locale.first_week_day)
    if view == "week":
        start = on - timedelta(days=(on.weekday() - first_weekday) % 7)
        days = [start + timedelta(days=number) for number in range(7)]
        return Span(days, on - timedelta(days=7), on + timedelta(days=7), _week_title(days[0], days[-1], locale))
    first = on.replace(day=1)
    start = first - timedelta(days=(first.weekday() - first_weekday) % 7)
    last = first.replace(day=monthrange(on.year, on.month)[1])
    weeks = ((last - start).days + 7) // 7
    days = [start + timedelta(days=number) for number in range(7 * weeks)]
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    return Span(days, before.replace(day=1), after, str(format_skeleton("yMMMM", first, locale=locale)))


def _week_title(first: date, last: date, locale: Any) -> str:
    if first.month == last.month:
        return str(format_skeleton("yMMMM", first, locale=locale))
    if first.year == last.year:
        return f"{format_date(first, 'LLL', locale=locale)} \u2013 {format_skeleton('yMMM', last, locale=locale)}"
    return f"{format_skeleton('yMMM', first, locale=locale)} \u2013 {format_skeleton('yMMM', last, locale=locale)}"


async def shown_events(
    services: WebServices, calendars: list[Shown], days: list[date], zone: ZoneInfo, me: frozenset[str]
) -> list[EventShown]:
    """The events of all calendars that touch the days, in order."""
    settings = services.api.settings
    limits = limits_of(settings.dav, settings.scheduling.inbox)
    run = services.api.mailboxes.run
    found = await asyncio.gather(
        *(run(events_between, one, days[0], days[-1], zone, me, limits) for one in calendars if one.takes("VEVENT"))
    )
    return sorted((event for events in found for event in events), key=order)


def shown_days(
    days: list[date], events: list[EventShown], today: date, month: int | None, language: Language
) -> list[DayShown]:
    """Each day with its events."""
    found = []
    for day in days:
        touching = [one for one in events if one.start.date() <= day <= one.last_day]
        found.append(
            DayShown(
                day,
                str(format_date(day, "EEE", locale=language.locale)),
                str(format_date(day, "full", locale=language.locale)),
                day == today,
                month is not None and day.month != month,
                [one for one in touching if one.is_long],
                blocks_of(day, touching),
                sorted(touching, key=lambda one: (not one.is_long, order(one))),
            )
        )
    return found


def _chosen(text: str, today: date) -> date:
    """The day of a query; today for what is none, or far from now."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return found if 1900 <= found.year <= 2200 else today


class CalendarPages(Controller):
    """/calendar"""

    path = "/calendar"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        view: Annotated[str, QueryParameter(max_length=10)] = "",
        on: Annotated[str, QueryParameter(max_length=10)] = "",
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """A view of the calendars."""
        language, zone = language_of(request, services), zone_of(request)
        today = datetime.fromtimestamp(services.api.clock.now(), UTC).astimezone(zone).date()
        day = _chosen(on, today)
        wanted = view or request.cookies.get("mailstead_view", "week")
        shown: View = next((one for one in VIEWS if one == wanted), "week")
        mailbox = await opened(services, identity)
        calendars = await collections_of(services.api.administration, mailbox, "calendar")
        span = span_of(shown, day, language)
        me = frozenset([identity.address.lower()])
        events = await shown_events(services, calendars, span.days, zone, me)
        days = shown_days(span.days, events, today, day.month if shown == "month" else None, language)
        return render(
            request,
            services,
            "calendar/calendar.html",
            identity=identity,
            view=shown,
            on=day,
            today=today,
            span=span,
            days=[one for one in days if one.events] if shown == "agenda" else days,
            calendars=[one for one in calendars if one.takes("VEVENT")],
            zone=zone.key,
            told=told,
        )
