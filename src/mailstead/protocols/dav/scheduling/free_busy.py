"""A request for the busy time of others, posted to the outbox (RFC 6638 §5)."""

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.formats.icalendar.free_busy import Busy, free_busy_lines
from mailstead.formats.icalendar.values import DAY, moment_of, wall_of
from mailstead.formats.icalendar.zones import Zones
from mailstead.mail.scheduling.calendar_user import bare
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.mail.scheduling.message import PRODID, stamp
from mailstead.mail.scheduling.series import written
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.scheduling.response import OK, UNKNOWN, answer, answers

_LONGEST = 400 * DAY


class _Asked(msgspec.Struct, frozen=True):
    organizer: ContentLine
    attendees: tuple[ContentLine, ...]
    since: int
    until: int
    uid: str


async def busy_times(exchange: Exchange, calendar: Tree, delivery: SchedulingDelivery) -> Response:
    """The busy time of each attendee that a VFREEBUSY names. Raises DavError."""
    asked = await _asked(exchange, calendar, delivery)
    parts = []
    for line in asked.attendees:
        busy = await delivery.busy(bare(line.value), asked.since, asked.until)
        recipient = line.value.strip()
        if busy is None:
            parts.append(answer(recipient, UNKNOWN))
            continue
        parts.append(answer(recipient, OK, _reply(asked, line, busy, exchange.now)))
    return answers(parts)


async def _asked(exchange: Exchange, calendar: Tree, delivery: SchedulingDelivery) -> _Asked:
    try:
        asked = _read(calendar)
    except ContentError as error:
        raise DavError(400, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    if asked is None:
        raise DavError(400, "The message is no request for busy time", c("valid-scheduling-message"))
    alias = await exchange.services.directory.alias_of_mailbox(exchange.account.mailbox_id)
    user = None if alias is None else await delivery.calendar_user(alias)
    if user is None or bare(asked.organizer.value) not in user.addresses:
        raise DavError(403, "The organizer is not who asks", c("valid-organizer"))
    most = exchange.settings.scheduling.attendees
    if len(asked.attendees) > most or not 0 < asked.until - asked.since <= _LONGEST:
        raise DavError(400, "Too many people, or too long a time", c("valid-scheduling-message"))
    return asked


def _read(calendar: Tree) -> _Asked | None:
    """Raises ContentError."""
    found = calendar.children("VFREEBUSY")
    if calendar.name != "VCALENDAR" or calendar.value("METHOD").upper() != "REQUEST" or len(found) != 1:
        return None
    component = found[0]
    start, end, organizer = (component.first(name) for name in ("DTSTART", "DTEND", "ORGANIZER"))
    attendees = tuple(component.all("ATTENDEE"))
    if start is None or end is None or organizer is None or not attendees:
        return None
    zones = Zones(calendar.component())
    since, until = zones.instant(moment_of(start)), zones.instant(moment_of(end))
    return _Asked(organizer, attendees, since, until, component.text("UID"))


def _reply(asked: _Asked, line: ContentLine, busy: list[Busy], now: float) -> bytes:
    calendar = Tree("VCALENDAR")
    calendar.add(ContentLine("VERSION", "2.0"), ContentLine("PRODID", PRODID), ContentLine("METHOD", "REPLY"))
    component = Tree("VFREEBUSY")
    component.add(
        ContentLine("UID", asked.uid),
        stamp(now),
        ContentLine("DTSTART", written(wall_of(asked.since), "utc")),
        ContentLine("DTEND", written(wall_of(asked.until), "utc")),
        asked.organizer,
        line,
        *free_busy_lines(busy),
    )
    calendar.items.append(component)
    return calendar.octets()
