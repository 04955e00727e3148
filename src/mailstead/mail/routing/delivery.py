"""Final delivery into mailboxes of this node."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

import msgspec
import structlog

from mailstead.formats.message.header import header_end
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.feeding import feed
from mailstead.foundation.errors import MailsteadError, OverQuotaError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.mail.encryption.message import encrypt_message
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.filtering.actions import Edited, Reject
from mailstead.mail.routing.filter import Arrival, Filter, Target, refusal_text
from mailstead.mail.routing.trace_fields import HEADER_LIMIT, delivery_fields, without_return_path
from mailstead.mail.screening.personal import Personal, PersonalJunk
from mailstead.mail.screening.verdict import Verdict, read_verdict, verdict_fields, without_verdict
from mailstead.mail.webhooks.events import Events
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Alias, Destination, Encryption
from mailstead.stores.mailbox.filing import Place
from mailstead.stores.mailbox.flags import split_flags
from mailstead.stores.mailbox.folders import INBOX, JUNK
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.trace.trace import Trace, TraceEntry

_DAY = 86400
_ASKED_AT_ONCE = 2  # more would open connections of one mailbox past those that are kept
log = structlog.get_logger("mailstead.delivery")


class LocalRecipient(msgspec.Struct, frozen=True):
    """One mailbox and the address that led to it."""

    address: str
    destination: Destination


def delivery_name(trace_id: str, message: Spool) -> str:
    """What tells a delivery that is tried again from another one, "" without a trace id.

    Over LMTP a sender may have chosen the trace id (ENVID), and may use one twice: what was sent counts, too.
    """
    if not trace_id:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    feed(digest, message.start(HEADER_LIMIT))
    return f"{trace_id} {digest.hexdigest()} {message.size}"


class LocalDelivery(Protocol):
    """Puts a message into mailboxes: in this process, or over LMTP at the storage service."""

    async def deliver(
        self,
        sender: str,
        recipients: Sequence[LocalRecipient],
        message: Spool,
        trace_id: str,
        *,
        delivery_id: str = "",
    ) -> list[RecipientResult]:
        """One result per recipient, in order; "delivered" only when durable. Raises nothing of the mailbox's.

        A mailbox takes one `delivery_id` once and says "delivered" again; by default it is `delivery_name`.
        """
        ...


class Calendars(Protocol):
    """Takes what delivered mail says to calendars; see scheduling/arrival.py."""

    async def take(self, address: str, alias: Alias | None, message: Spool) -> str:
        """What was done in words, "" for nothing; raises nothing."""
        ...


class DirectDelivery:
    """Delivers to the mailbox files from this process; all mailboxes at once, each with group commit."""

    def __init__(
        self,
        directory: Directory,
        mailboxes: Mailboxes,
        trace: Trace,
        settings: Settings,
        clock: Clock,
        filtering: Filter | None = None,
        events: Events | None = None,
        personal: PersonalJunk | None = None,
        calendars: Calendars | None = None,
    ) -> None:
        """Without `filtering` no scripts are run, without `events` no hooks are told.

        Without `personal` no mailbox is asked what it has learned of junk, without `calendars` invitations are mail
        like any other.
        """
        self._directory = directory
        self._mailboxes = mailboxes
        self._trace = trace
        self._settings = settings
        self._clock = clock
        self._filter = filtering
        self._events = events
        self._calendars = calendars
        self._personal = personal
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def deliver(
        self,
        sender: str,
        recipients: Sequence[LocalRecipient],
        message: Spool,
        trace_id: str,
        *,
        delivery_id: str = "",
    ) -> list[RecipientResult]:
        """See LocalDelivery."""
        start = message.start(HEADER_LIMIT)
        count, kept = without_return_path(start)
        attempt = delivery_id or delivery_name(trace_id, message)
        body = message.replaced(count, kept)
        verdict = read_verdict(start)
        deliveries = [self._deliver(sender, one, body, verdict, trace_id, attempt) for one in recipients]
        if len(deliveries) == 1:
            return [await deliveries[0]]
        return list(await asyncio.gather(*deliveries))

    async def _deliver(
        self, sender: str, recipient: LocalRecipient, body: Spool, verdict: Verdict | None, trace_id: str, attempt: str
    ) -> RecipientResult:
        mailbox_id = recipient.destination.mailbox_id
        key: DataKey | None = None
        try:
            alias = await self._directory.alias_of_mailbox(mailbox_id)
            key = await self._directory.mailbox_key(mailbox_id)
            delivery_id = attempt and f"{attempt} {recipient.address}"
            personal = None
            if verdict is not None and self._personal is not None:
                personal = await self._judged(self._personal, verdict, alias, key, recipient, body)
                if personal.words:
                    body = _rewritten(body, personal)
                    self._note(trace_id, "screened", recipient.address, personal.words)
                verdict = personal.verdict
            folder = JUNK if verdict is not None and verdict.junk else INBOX
            arrival = Arrival(
                sender,
                recipient.address,
                mailbox_id,
                alias,
                key,
                body,
                folder,
                trace_id,
                delivery_id,
                verdict,
                personal.required if personal is not None else self._settings.junk.threshold,
            )
            return await self._arrive(arrival)
        except MailsteadError as error:
            outcome = "deferred" if error.temporary else "failed"
            self._note(trace_id, "deferred" if error.temporary else "refused", recipient.address, str(error))
            if isinstance(error, OverQuotaError):
                await self._tell_quota(recipient)
            return RecipientResult(
                recipient.address,
                "deferred" if outcome == "deferred" else "failed",
                error.smtp_code,
                error.enhanced_code,
                error.public_text,
            )
        except OSError as error:
            self._note(trace_id, "deferred", recipient.address, str(error))
            return RecipientResult(recipient.address, "deferred", 451, "4.3.1", "Storage is not available")
        finally:
            if key is not None:
                key.close()

    async def _judged(
        self,
        personal: PersonalJunk,
        verdict: Verdict,
        alias: Alias | None,
        key: DataKey | None,
        recipient: LocalRecipient,
        body: Spool,
    ) -> Personal:
        """The verdict for one mailbox; one that cannot be opened now is not asked."""
        mailbox = None
        if key is not None:
            try:
                mailbox = await self._mailboxes.open(recipient.destination.mailbox_id, key)
            except MailsteadError as error:
                log.warning("mailbox not asked about junk", mailbox=recipient.destination.mailbox_id, why=str(error))
        domain = recipient.address.rpartition("@")[2].lower()
        if mailbox is None:
            return personal.judge(verdict, alias, domain, None, body)
        async with self._asking:
            return await self._mailboxes.run_short(mailbox, personal.judge, verdict, alias, domain, mailbox, body)

    async def _arrive(self, arrival: Arrival) -> RecipientResult:
        """Filter, file, and do what else the filter decided; all of it before the message counts as delivered."""
        filtering = self._filter
        outcome = None if filtering is None else await filtering.decide(arrival)
        for words in () if outcome is None else outcome.words:
            self._note(arrival.trace_id, "filtered", arrival.recipient, words)
        targets = [Target(arrival.inbox)]
        if outcome is not None and filtering is not None:
            refused = next((action for action in outcome.actions if isinstance(action, Reject)), None)
            if refused is not None:
                return RecipientResult(arrival.recipient, "failed", 550, "5.7.1", refusal_text(refused.reason))
            targets = filtering.targets(arrival, outcome)
        await self._put(arrival, targets, delivery_fields(arrival.sender, arrival.recipient), arrival.body)
        if outcome is not None and filtering is not None:

            async def put(target: Target, message: Spool, name: str) -> None:
                await self._put(arrival, [target], b"", message, name)

            await filtering.carry_out(arrival, outcome, put)
        await self._tell_arrival(arrival, folder=targets[0].folder if targets else "")
        if self._calendars is not None and any(one.folder != JUNK and one.special_use != "\\Junk" for one in targets):
            words = await self._calendars.take(arrival.recipient, arrival.alias, arrival.body)
            if words:
                self._note(arrival.trace_id, "scheduled", arrival.recipient, words)
        return RecipientResult(arrival.recipient, "delivered", 250, "2.1.5", "Delivered")

    async def _tell_arrival(self, arrival: Arrival, *, folder: str) -> None:
        if self._events is None or arrival.alias is None:
            return
        data = {
            "email_id": arrival.trace_id,
            "sender": arrival.sender,
            "recipient": arrival.recipient,
            "mailbox": arrival.alias.address,
            "folder": folder,
            "size": arrival.body.size,
        }
        once = arrival.delivery_id or new_ulid(self._clock.now())
        await self._events.try_to_tell("message", arrival.alias.domain, data, once=once)

    async def _tell_quota(self, recipient: LocalRecipient) -> None:
        """Once a day for each mailbox that is full."""
        alias = await self._directory.alias_of_mailbox(recipient.destination.mailbox_id)
        if self._events is None or alias is None:
            return
        quota = alias.quota if alias.quota is not None else self._settings.mailbox.quota
        once = f"{alias.mailbox_id} {int(self._clock.now() // _DAY)}"
        data = {"mailbox": alias.address, "quota": quota, "recipient": recipient.address}
        await self._events.try_to_tell("quota", alias.domain, data, once=once)

    async def _put(
        self, arrival: Arrival, targets: Sequence[Target], fields: bytes, message: Spool, name: str = ""
    ) -> None:
        """Put a message into folders in one step, `fields` before it; for each name and number of a folder once.

        Raises MailsteadError, OSError.
        """
        alias, once = arrival.alias, arrival.delivery_id
        if once and name:
            once = f"{once} {name}"
        forms: dict[Edited | None, list[Place]] = {}
        for number, target in enumerate(targets):
            flags, keywords = split_flags(target.flags)
            own = f"{once} {number}" if once and number else once
            place = Place(target.folder, flags, keywords, own, target.create, target.special_use)
            forms.setdefault(target.edited, []).append(place)
        with ExitStack() as rooms:
            messages: list[tuple[Spool, tuple[Place, ...]]] = []
            for edited, places in forms.items():
                count, start = (0, fields) if edited is None else (edited.count, fields + edited.octets)
                spool = message.replaced(count, start)
                if alias is not None and alias.encryption is not None:
                    threshold = self._settings.message.spool_threshold
                    room = rooms.enter_context(Spool(threshold, self._mailboxes.directory(arrival.mailbox_id)))
                    spool = await self._encrypted(arrival, alias.encryption, spool, room)
                messages.append((spool, tuple(places)))
            receipts = await self._mailboxes.file(
                arrival.mailbox_id,
                arrival.key,
                alias.public_key if alias is not None else b"",
                messages,
                quota=alias.quota if alias is not None and alias.quota is not None else self._settings.mailbox.quota,
            )
        for receipt in receipts:
            where = f"put into {receipt.folder} of {arrival.recipient}"
            text = f"sealed for {arrival.recipient}, to be read with the owner's key" if receipt.sealed else where
            self._note(arrival.trace_id, "delivered", arrival.recipient, text)

    async def _encrypted(self, arrival: Arrival, encryption: Encryption, message: Spool, room: Spool) -> Spool:
        """The message encrypted to its owner's key, in `room`; as it is when that cannot be, rather than lost."""
        loop = asyncio.get_running_loop()
        now = self._clock.now()
        try:
            octets = await loop.run_in_executor(None, lambda: encrypt_message(message.read(), encryption, now))
        except UnusableKeyError as error:
            self._note(arrival.trace_id, "unencrypted", arrival.recipient, f"kept as it came, not encrypted: {error}")
            return message
        if octets is None:
            return message
        room.append(octets)
        return room

    def _note(self, trace_id: str, event: str, address: str, text: str) -> None:
        self._trace.record(
            TraceEntry(
                trace_id=trace_id,
                at=self._clock.now(),
                service="storage",
                event=event,
                text=text,
                keys=(address,),
            )
        )


def _rewritten(body: Spool, personal: Personal) -> Spool:
    """The message with the verdict for one mailbox in place of the one that it came with."""
    start = body.start(HEADER_LIMIT)
    header = start[: header_end(start, 0, len(start))]
    fields = verdict_fields(personal.verdict, personal.required)
    return body.replaced(len(header), fields + without_verdict(header))
