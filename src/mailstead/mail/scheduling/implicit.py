"""Objects with attendees are stored or deleted: the server tells who is concerned (RFC 6638 §3.2).

What is to be told is kept in the transaction of the change itself, and carried after it: a change that did not come
about, since another was first, is told to nobody, and one that did is told even when the server is stopped in between.
Until then the object says 1.0, "pending", of those to be told (RFC 6638 §3.2.9).
"""

from collections.abc import Sequence

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.mail.scheduling.attendee import AttendeeChangeError, attend
from mailstead.mail.scheduling.calendar_user import find_attendee
from mailstead.mail.scheduling.delivery import PENDING, CalendarUser, SchedulingDelivery
from mailstead.mail.scheduling.message import Outcome
from mailstead.mail.scheduling.organizer import organize, with_status
from mailstead.mail.scheduling.owed import Debt, read_debt, record_of, settle
from mailstead.mail.scheduling.series import Series, read_series
from mailstead.mail.scheduling.storing import limits_of
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import NewObject, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

_MARK = b"ORGANIZER"
_LONGEST = 300.0  # seconds that a message may be under way before another takes care of it
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


class Decision(msgspec.Struct, frozen=True):
    """What is stored (None: it is deleted), and records of what is owed to others, to be kept with it."""

    new: NewObject | None
    owes: tuple[NewObject, ...] = ()


def has_people(*several: bytes | None) -> bool:
    """Whether any of the objects could have an organizer."""
    return any(_MARK in data.upper() for data in several if data is not None)


class ImplicitScheduling:
    """Decides what is stored and who is to be told, and tells them when it is."""

    def __init__(
        self, delivery: SchedulingDelivery, directory: Directory, mailboxes: Mailboxes, settings: Settings, clock: Clock
    ) -> None:
        self._delivery = delivery
        self._directory = directory
        self._mailboxes = mailboxes
        self._settings = settings
        self._clock = clock
        self._bounds = limits_of(settings.dav, settings.scheduling.inbox).content
        self._resumed: set[str] = set()

    async def decide(self, change: ScheduledChange, service: str) -> Decision:
        """What is stored instead of `change.new`, and what to `carry` when it is. Raises SchedulingRefusedError."""
        new = change.new
        if not has_people(change.old_data, None if new is None else new.data):
            return Decision(new)
        try:
            old_series = None if change.old_data is None else read_series(change.old_data, self._bounds)
            new_series = None if new is None else read_series(new.data, self._bounds)
        except ContentError as error:
            raise SchedulingRefusedError(INVALID, str(error)) from None
        alias = await self._directory.alias_of_mailbox(change.mailbox.id)
        if alias is None:
            return Decision(new)
        user = await self._delivery.calendar_user(alias)
        before, after = _role(old_series, user), _role(new_series, user)
        if after == "several":
            raise SchedulingRefusedError(SEVERAL, "All components have one organizer")
        if before == "organizer" and after == "attendee":
            raise SchedulingRefusedError(ORGANIZER, "An event keeps its organizer")
        if before == "attendee" and new is not None and after != "attendee":
            raise SchedulingRefusedError(ATTENDEE, "An attendee's copy keeps its organizer and its attendee")
        if not before and not after:
            return Decision(new)
        if change.old is None and new is not None:
            await self._check_unique(change, new.uid)
        outcome = self._outcome(change, user, "organizer" in (before, after), is_left=not after)
        if len(outcome.messages) > self._settings.scheduling.attendees:
            raise SchedulingRefusedError(
                TOO_MANY, f"A change tells at most {self._settings.scheduling.attendees} people"
            )
        name = "ATTENDEE" if after == "organizer" else "ORGANIZER"
        if new is not None and outcome.data is not None:
            marks = {one.recipient: PENDING for one in outcome.messages}
            data = with_status(outcome.data, marks, name, self._bounds)
            octets = new.data if data == new.data else data
            new = msgspec.structs.replace(new, data=octets, schedule_tag=etag_of(octets))
        if not outcome.messages:
            return Decision(new)
        place = "" if new is None else new.name
        debt = Debt(outcome.messages, user.alias.user_id, service, change.collection_id, place, name)
        return Decision(new, (record_of(debt, self._clock.now()),))

    async def carry(self, mailbox: Mailbox, owes: Sequence[NewObject]) -> None:
        """Tell what is owed for a change that is durable, and put down what came of it."""
        for record in owes:
            await self._carry(mailbox, record.name, record.data)

    async def resume(self, mailbox: Mailbox) -> int:
        """Tell what was left untold when a server was stopped; how many changes. Asked again it looks no more."""
        if mailbox.id in self._resumed:
            return 0
        waiting = await self._mailboxes.run_short(mailbox, mailbox.dav.owed)
        before = self._clock.now() - _LONGEST
        left = [one for one in waiting if one[1] <= before]
        for name, _, data in left:
            await self._carry(mailbox, name, data)
        if len(left) == len(waiting):
            self._resumed.add(mailbox.id)
        return len(left)

    async def _carry(self, mailbox: Mailbox, name: str, data: bytes) -> None:
        debt = read_debt(data)
        statuses = await self._delivery.send(debt.messages, debt.user_id, debt.service)
        await self._mailboxes.run(settle, mailbox.dav, name, debt, statuses, self._clock.now(), self._bounds)

    async def carried(self, mailbox: Mailbox, new: NewObject) -> Decision:
        """An object that is put into another calendar as it is: nobody is told (RFC 6638 §3.2.3.3, §3.2.3.4)."""
        is_scheduled = await self.is_scheduled(mailbox, new.data)
        return Decision(msgspec.structs.replace(new, schedule_tag=etag_of(new.data)) if is_scheduled else new)

    async def is_scheduled(self, mailbox: Mailbox, data: bytes) -> bool:
        """Whether the owner of a mailbox is organizer or attendee of an object. Raises SchedulingRefusedError."""
        alias = await self._directory.alias_of_mailbox(mailbox.id) if has_people(data) else None
        if alias is None:
            return False
        try:
            series = read_series(data, self._bounds)
        except ContentError as error:
            raise SchedulingRefusedError(INVALID, str(error)) from None
        return _role(series, await self._delivery.calendar_user(alias)) in ("organizer", "attendee")

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
