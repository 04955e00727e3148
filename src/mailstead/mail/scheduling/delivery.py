"""Scheduling messages on their way: into the calendars of people here, by mail to everybody else."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
import structlog

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.icalendar.free_busy import Busy
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.outbound.agent import Submitted
from mailstead.mail.scheduling.calendar_user import is_mail
from mailstead.mail.scheduling.imip import compose_imip
from mailstead.mail.scheduling.message import ItipMessage, Received, read_message
from mailstead.mail.scheduling.organizer import attendees_of, request_to
from mailstead.mail.scheduling.proposing import proposed, refresh_of
from mailstead.mail.scheduling.series import read_series
from mailstead.mail.scheduling.storing import Applied, apply_message, busy_of, find_stored, limits_of
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.dav.records import NoSuchObjectError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

log = structlog.get_logger("mailstead.scheduling")
# SCHEDULE-STATUS (RFC 6638 §3.2.9)
PENDING, SENT, DELIVERED = "1.0", "1.1", "1.2"
UNKNOWN_USER, NOT_ALLOWED, FAILED, NO_WAY = "3.7", "3.8", "5.1", "5.2"
_FOR_PEOPLE = ("COUNTER", "DECLINECOUNTER")  # a program alone does nothing with these: they are read as mail
_REFRESHED = 50  # an answer is told to the others when they are not more than these


class Submission(Protocol):
    """What sends mail as people here; see SubmissionAgent."""

    async def submit(
        self, *, user_id: str, sender: str, recipients: Sequence[str], message: bytes, service: str
    ) -> Submitted:
        """Send a message; durable when it returns."""
        ...


class CalendarUser(msgspec.Struct, frozen=True):
    """Somebody here: the mailbox that holds the calendars, and the addresses that mean its owner."""

    alias: Alias
    addresses: frozenset[str]


class SchedulingDelivery:
    """Carries messages; without `submission` nothing is sent by mail."""

    def __init__(
        self,
        directory: Directory,
        mailboxes: Mailboxes,
        settings: Settings,
        clock: Clock,
        hostname: str,
        submission: Submission | None = None,
    ) -> None:
        self._directory = directory
        self._mailboxes = mailboxes
        self._settings = settings
        self._clock = clock
        self._hostname = hostname
        self._submission = submission
        self._limits = limits_of(settings.dav, settings.scheduling.inbox)

    async def calendar_user(self, alias: Alias, *more: str) -> CalendarUser:
        """The owner of a mailbox; `more` are addresses that led to it."""
        others = await self._directory.find(Alias, user_id=alias.user_id)
        own = {alias.address.lower(), *(one.lower() for one in more)}
        own |= {
            one.address.lower()
            for one in others
            if not one.mailbox_id and alias.address.lower() in {target.lower() for target in one.forward_to}
        }
        return CalendarUser(alias, frozenset(own))

    async def find_user(self, address: str) -> CalendarUser | None:
        """Whose calendars an address means; None when that is nobody here, or several."""
        resolution = await self._directory.resolve(address)
        alias = resolution.alias
        if resolution.outcome != "accepted" or alias is None:
            return None
        if not alias.mailbox_id and len(resolution.destinations) == 1:
            target = await self._directory.resolve(resolution.destinations[0].address)
            if target.outcome != "accepted" or target.alias is None or target.alias.user_id != alias.user_id:
                return None
            alias = target.alias
        return await self.calendar_user(alias, address) if alias.mailbox_id else None

    @asynccontextmanager
    async def _open(self, mailbox_id: str) -> AsyncIterator[Mailbox | None]:
        """The mailbox, None when the server alone cannot open it."""
        key = await self._directory.mailbox_key(mailbox_id)
        if key is None:
            yield None
            return
        with key:
            yield await self._mailboxes.open(mailbox_id, key)

    async def send(self, messages: Iterable[ItipMessage], user_id: str, service: str) -> dict[str, str]:
        """Carry messages of a user here; what became of them by recipient, as SCHEDULE-STATUS. Durable when it returns."""
        statuses: dict[str, str] = {}
        for message in messages:
            statuses[message.recipient] = await self._send(message, user_id, service)
        return statuses

    @property
    def _can_mail(self) -> bool:
        return self._submission is not None and self._settings.scheduling.mail

    async def propose(self, mailbox: Mailbox, received: Received, service: str) -> dict[str, str]:
        """Send what a person wrote of an event in a mailbox; what became of it by recipient, as SCHEDULE-STATUS.

        Raises ContentError, NotYoursToSendError, NoSuchObjectError when the event is not in the calendars.
        """
        stored = await self._mailboxes.run_short(mailbox, find_stored, mailbox.dav, received.series.uid)
        alias = await self._directory.alias_of_mailbox(mailbox.id)
        if stored is None or alias is None:
            raise NoSuchObjectError
        user = await self.calendar_user(alias)
        messages = proposed(received, stored.data, user.addresses, self._clock.now(), self._limits.content)
        return await self.send(messages, alias.user_id, service)

    async def _send(self, message: ItipMessage, user_id: str, service: str) -> str:
        if not is_mail(message.recipient):
            return NO_WAY
        resolution = await self._directory.resolve(message.recipient)
        if resolution.outcome in ("unknown", "disabled"):
            return UNKNOWN_USER
        if message.method in _FOR_PEOPLE and self._can_mail:
            return await self._mail(message, user_id, service)
        user = await self.find_user(message.recipient)
        if user is not None:
            status = await self._hand_over(message, user, service)
            if status:
                return status
        return await self._mail(message, user_id, service)

    async def _hand_over(self, message: ItipMessage, user: CalendarUser, service: str) -> str:
        """To somebody here; empty when the mailbox cannot be opened."""
        try:
            received = read_message(message.data, self._limits.content)
            applied = await self._apply(user, received, message.data, message.sender)
            if applied is None:
                return ""
            await self._follow_up(user, received, applied, message.sender, service)
        except ContentError as error:
            log.warning("scheduling message not understood", uid=message.uid, why=str(error))
            return NO_WAY
        except (MailsteadError, OSError) as error:
            log.warning("scheduling message not delivered", to=message.recipient, why=str(error))
            return FAILED
        return DELIVERED

    async def _apply(self, user: CalendarUser, received: Received, data: bytes, sender: str) -> Applied | None:
        async with self._open(user.alias.mailbox_id) as mailbox:
            if mailbox is None:
                return None
            return await self._mailboxes.run(
                apply_message, mailbox.dav, received, data, user.addresses, sender, self._clock.now(), self._limits
            )

    async def arrive(self, address: str, alias: Alias, data: bytes, author: str) -> Applied | None:
        """A message that came to `address` by mail, whose author is known to have sent it.

        None when the mailbox cannot be opened. Raises ContentError, MailsteadError, OSError.
        """
        received = read_message(data, self._limits.content)
        user = await self.calendar_user(alias, address)
        applied = await self._apply(user, received, data, author)
        if applied is not None:
            await self._follow_up(user, received, applied, author, "storage")
        return applied

    async def _follow_up(
        self, user: CalendarUser, received: Received, applied: Applied, sender: str, service: str
    ) -> None:
        """What an organizer's server does by itself: tell others here of an answer, send again what is asked for."""
        effect = applied.effect
        if effect.what == "answered" and effect.data is not None and effect.tells:
            await self._tell_others(effect.data, user.addresses | {sender})
        if effect.what == "refresh":
            now, message = self._clock.now(), None
            if received.method != "REFRESH":  # instances are added to what is not here
                message = refresh_of(received.series, received.series, user.addresses, now)
            elif applied.before is not None:
                message = request_to(applied.before, sender, now, self._limits.content)
            if message is not None:
                await self._send(message, user.alias.user_id, service)

    async def _tell_others(self, data: bytes, but: frozenset[str]) -> None:
        """RFC 6638 §4.2: the copies of others here show the answer; nobody is notified of it."""
        others = [one for one in attendees_of(read_series(data, self._limits.content)) if one not in but]
        for address in others if len(others) <= _REFRESHED else ():
            user = await self.find_user(address)
            message = request_to(data, address, self._clock.now(), self._limits.content)
            if user is None or message is None:
                continue
            received = read_message(message.data, self._limits.content)
            try:
                await self._apply(user, received, message.data, message.sender)
            except (MailsteadError, OSError) as error:
                log.warning("an answer is not shown to another attendee", to=address, why=str(error))

    async def _mail(self, message: ItipMessage, user_id: str, service: str) -> str:
        if self._submission is None or not self._can_mail:
            return NO_WAY
        now = self._clock.now()
        try:
            series = read_series(message.data, self._limits.content)
            mail = compose_imip(message, series, f"{new_ulid(now)}@{self._hostname}", now)
            submitted = await self._submission.submit(
                user_id=user_id, sender=message.sender, recipients=(message.recipient,), message=mail, service=service
            )
        except (ContentError, ValueError) as error:
            log.warning("scheduling message cannot be mailed", uid=message.uid, why=str(error))
            return NO_WAY
        except MailsteadError as error:
            log.warning("scheduling message not mailed", to=message.recipient, why=str(error))
            return FAILED if error.temporary else NOT_ALLOWED
        except OSError as error:
            log.warning("scheduling message not mailed", to=message.recipient, why=str(error))
            return FAILED
        return SENT if all(one.accepted for one in submitted.results) else FAILED

    async def busy(self, address: str, since: int, until: int) -> list[Busy] | None:
        """When somebody here is busy; None for an address that is nobody's here, or whose mailbox is locked."""
        user = await self.find_user(address)
        if user is None:
            return None
        async with self._open(user.alias.mailbox_id) as mailbox:
            if mailbox is None:
                return None
            return await self._mailboxes.run(busy_of, mailbox.dav, since, until, user.addresses, self._limits)
