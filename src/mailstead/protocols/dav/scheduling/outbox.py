"""POST to the outbox (RFC 6638 §5): questions for busy times, and messages that no change of an object sends.

The standard knows the former alone. An attendee who proposes another time or asks for an event again, and an organizer
who keeps to a time, have no object to change either: their programs post COUNTER, REFRESH and DECLINECOUNTER here.
"""

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.tree import read_tree
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.mail.scheduling.message import read_message
from mailstead.mail.scheduling.proposing import PROPOSALS, NotYoursToSendError
from mailstead.protocols.dav.content import content_bounds
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.hrefs import split_path
from mailstead.protocols.dav.message import Response
from mailstead.protocols.dav.names import c
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.scheduling.free_busy import busy_times
from mailstead.protocols.dav.scheduling.response import OK, UNKNOWN, answer, answers
from mailstead.protocols.dav.tree import existing
from mailstead.stores.mailbox.dav.records import NoSuchObjectError

_WORDS = {"1": OK, "3.7": UNKNOWN, "3.8": "3.8;No authority", "5.1": "5.1;Service unavailable"}
_NO_WAY = "5.3;No scheduling support for user"


def is_outbox_post(exchange: Exchange) -> bool:
    """Whether a POST is for an outbox."""
    return split_path(exchange.request.path)[1:] == ("outbox",)


async def outbox_post(exchange: Exchange, _: PropertyTable) -> Response:
    """Carry what is posted. Raises DavError."""
    await existing(exchange, exchange.request.path)
    delivery = exchange.services.scheduling
    if delivery is None:
        raise DavError(403, "There is no scheduling here")
    media_type = exchange.request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "text/calendar":
        raise DavError(415, "An outbox takes text/calendar", c("supported-calendar-data"))
    try:
        calendar = read_tree(exchange.request.body, content_bounds(exchange.settings.dav))
    except ContentError as error:
        raise DavError(400, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    if calendar.value("METHOD").upper() in PROPOSALS:
        return await _proposal(exchange, delivery)
    return await busy_times(exchange, calendar, delivery)


async def _proposal(exchange: Exchange, delivery: SchedulingDelivery) -> Response:
    try:
        received = read_message(exchange.request.body, content_bounds(exchange.settings.dav))
        statuses = await delivery.propose(exchange.own.mailbox, received, "caldav")
    except NotYoursToSendError as error:
        raise DavError(403, f"Not sent: {error}", c("valid-scheduling-message")) from None
    except NoSuchObjectError:
        raise DavError(403, "Not sent: the event is in none of the calendars", c("valid-scheduling-message")) from None
    except ContentError as error:
        raise DavError(400, f"Not iCalendar: {error}", c("valid-calendar-data")) from None
    return answers([answer(f"mailto:{one}", _said(status)) for one, status in statuses.items()])


def _said(status: str) -> str:
    """A SCHEDULE-STATUS as a request-status."""
    return _WORDS.get(status) or _WORDS.get(status.partition(".")[0]) or _NO_WAY
