"""Objects with attendees are stored or deleted: the server tells who is concerned (RFC 6638 §3.2).

Messages are durable before the change is: a server that is stopped between the two has told of a change that its
client, which got no answer, makes again. The other way round a change could stay untold for ever.
"""

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.mail.scheduling.attendee import AttendeeChangeError, attend
from mailstead.mail.scheduling.calendar_user import find_attendee
from mailstead.mail.scheduling.delivery import CalendarUser, SchedulingDelivery
from mailstead.mail.scheduling.message import Outcome
from mailstead.mail.scheduling.organizer import organize, with_status
from mailstead.mail.scheduling.series import Series, read_series
from mailstead.mail.scheduling.storing import limits_of
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

_MARK = b"ORGANIZER"
# Preconditions (RFC 6638 §3.2.4, RFC 4791 §5.3.2.1)
INVALID, SEVERAL = "valid-calendar-data", "same-organizer-in-all-components"
ORGANIZER, ATTENDEE = "allowed-organizer-scheduling-object-change", "allowed-attendee-scheduling-object-change"
NOT_UNIQUE, TOO_MANY = "unique-scheduling-object-resource", "max-attendees-per-instance"


class SchedulingRefusedError(PermissionDeniedError):
    """The change is one that scheduling does not allow; `condition` is the precondition of CalDAV that it fails.

    `place` is the collection and object that are in its way, where there is one.
    """

    def __init__(self, condition: str, text: str, place: tuple[str, str] | None = None) -> None:
        super().__init__(text)
        self.condition = condition
        self.place = place


class ScheduledChange(msgspec.Struct, frozen=True):
    """An object of a calendar is stored (`new`) or deleted (None); `old` and its octets are what is there before."""

    mailbox: Mailbox
    collection_id: int
    old: ObjectRow | None
    old_data: bytes | None
    new: NewObject | None
    replies: bool = True
    keeps_answers: bool = False


def has_people(*several: bytes | None) -> bool:
    """Whether any of the objects could have an organizer."""
    return any(_MARK in data.upper() for data in several if data is not None)


class ImplicitScheduling:
    """Decides, tells, and says what is stored."""

    def __init__(
        self, delivery: SchedulingDelivery, directory: Directory, mailboxes: Mailboxes, settings: Settings, clock: Clock
    ) -> None:
        self._delivery = delivery
        self._directory = directory
        self._mailboxes = mailboxes
        self._settings = settings
        self._clock = clock
        self._bounds = limits_of(settings.dav, settings.scheduling.inbox).content

    async def decide(self, change: ScheduledChange, service: str) -> NewObject | None:
        """What is stored instead of `change.new`, after everybody was told. Raises SchedulingRefusedError."""
        new = change.new
        if not has_people(change.old_data, None if new is None else new.data):
            return new
        try:
            old_series = None if change.old_data is None else read_series(change.old_data, self._bounds)
            new_series = None if new is None else read_series(new.data, self._bounds)
        except ContentError as error:
            raise SchedulingRefusedError(INVALID, str(error)) from None
        alias = await self._directory.alias_of_mailbox(change.mailbox.id)
        if alias is None:
            return new
        user = await self._delivery.calendar_user(alias)
        before, after = _role(old_series, user), _role(new_series, user)
        if after == "several":
            raise SchedulingRefusedError(SEVERAL, "All components have one organizer")
        if before == "organizer" and after == "attendee":
            raise SchedulingRefusedError(ORGANIZER, "An event keeps its organizer")
        if before == "attendee" and new is not None and after != "attendee":
            raise SchedulingRefusedError(ATTENDEE, "An attendee's copy keeps its organizer and its attendee")
        if not before and not after:
            return new
        if change.old is None and new is not None:
            await self._check_unique(change, new.uid)
        outcome = self._outcome(change, user, "organizer" in (before, after), is_left=not after)
        if len(outcome.messages) > self._settings.scheduling.attendees:
            raise SchedulingRefusedError(
                TOO_MANY, f"A change tells at most {self._settings.scheduling.attendees} people"
            )
        statuses = await self._delivery.send(outcome.messages, user.alias.user_id, service)
        if new is None or outcome.data is None:
            return new
        name = "ATTENDEE" if after == "organizer" else "ORGANIZER"
        data = with_status(outcome.data, statuses, name, self._bounds)
        octets = new.data if data == new.data else data
        return msgspec.structs.replace(new, data=octets, schedule_tag=etag_of(octets))

    def _outcome(self, change: ScheduledChange, user: CalendarUser, is_organizer: bool, *, is_left: bool) -> Outcome:
        """What it comes to. Raises SchedulingRefusedError."""
        wanted = None if change.new is None or is_left else change.new.data
        now = self._clock.now()
        try:
            if is_organizer:
                return organize(
                    change.old_data, wanted, user.addresses, now, self._bounds, keeps_answers=change.keeps_answers
                )
            return attend(change.old_data, wanted, user.addresses, now, self._bounds, replies=change.replies)
        except AttendeeChangeError as error:
            raise SchedulingRefusedError(ATTENDEE, str(error)) from None
        except ContentError as error:
            raise SchedulingRefusedError(INVALID, str(error)) from None

    async def _check_unique(self, change: ScheduledChange, uid: str) -> None:
        """Raises SchedulingRefusedError when another calendar has the event (RFC 6638 §3.2.4.1)."""
        mailbox = change.mailbox
        for record, row in await self._mailboxes.run_short(mailbox, mailbox.dav.by_uid, "calendar", uid):
            if record.id != change.collection_id:
                raise SchedulingRefusedError(NOT_UNIQUE, "Another calendar has this event", (record.name, row.name))


def _role(series: Series | None, user: CalendarUser) -> str:
    """What the owner of a calendar is in an event (RFC 6638 §3.1)."""
    if series is None:
        return ""
    if not series.organizer:
        return "several" if any(one.first("ORGANIZER") is not None for one in series.components) else ""
    if series.organizer in user.addresses:
        return "organizer"
    return "attendee" if any(find_attendee(one, user.addresses) for one in series.components) else ""
