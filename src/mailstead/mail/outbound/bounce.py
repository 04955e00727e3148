"""Notices to senders: who is told what (RFC 3461 §4.1, §5), and never about a notice (RFC 5321 §4.5.5)."""

import re

import msgspec
import structlog

from mailstead.formats.message.delivery_status import (
    RETURNED_LIMIT,
    Action,
    RecipientStatus,
    Report,
    compose_report,
)
from mailstead.foundation.clock import Clock
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.records import Consignment, OwedNotice, Settled
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import User

log = structlog.get_logger("mailstead.queue")
_NEVER = frozenset({"NEVER"})
_SPOOL_IN_MEMORY = 4 * 1024 * 1024
_WANTED: dict[Action, str] = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS", "relayed": "SUCCESS"}
_BY_DEFAULT = ("FAILURE", "DELAY")


def is_wanted(recipient: EnvelopeRecipient, action: Action) -> bool:
    """Whether the sender asked to be told of `action`; without NOTIFY, of failures and delays."""
    return _WANTED[action] in (recipient.notify or _BY_DEFAULT)


def _status(one: Settled) -> RecipientStatus:
    return RecipientStatus(
        address=one.recipient.address,
        action=one.action,
        status=one.status,
        original=one.recipient.original,
        remote_host=one.remote_host,
        diagnostic=one.diagnostic,
        advice=one.advice,
    )


def _shown(one: Settled) -> RecipientStatus:
    """What the sender is told: where an alias leads to is its owner's affair (RFC 3464 §4.2)."""
    alias = one.recipient.alias
    if not alias:
        return _status(one)
    diagnostic = re.sub(re.escape(one.recipient.address), alias, one.diagnostic, flags=re.IGNORECASE)
    if one.recipient.via:
        code = "554" if one.action == "failed" else "451"
        diagnostic = f"{code} {one.status} the system behind this address did not take the message"
    return msgspec.structs.replace(_status(one), address=alias, remote_host="", diagnostic=diagnostic)


class Notices:
    """Puts notices into the queue, which knows local senders from remote ones."""

    def __init__(self, queue: OutboundQueue, directory: Directory, hostname: str, clock: Clock) -> None:
        self._queue = queue
        self._directory = directory
        self._hostname = hostname
        self._clock = clock

    async def enqueue(self, consignment: Consignment, owed: OwedNotice, message: QueuedMessage, until: float) -> None:
        """Queue an owed notice, pending until `until`; the second time it changes nothing."""
        recipient = EnvelopeRecipient(consignment.sender, _NEVER)
        if owed.alias:
            owner = await self._owner(owed.alias)
            if owner is None:
                log.warning(
                    "nobody can be told of a notice that failed", alias=owed.alias, queue_id=consignment.queue_id
                )
                return
            recipient = owner
        report = compose_report(self._report(consignment, owed, message, recipient.address))
        with Spool(_SPOOL_IN_MEMORY, self._queue.files.folder) as spool:
            spool.append(report)
            envelope = Envelope(
                sender="",
                recipients=(recipient,),
                smtputf8=not recipient.address.isascii(),
                require_tls=consignment.envelope.require_tls,
            )
            await self._queue.enqueue_owed(owed.queue_id, consignment.id, envelope, spool, consignment.trace_id, until)

    async def _owner(self, alias: str) -> EnvelopeRecipient | None:
        """The owner's mailbox, and nothing that it may forward to: this must not fail the same way."""
        found = (await self._directory.resolve(alias)).alias
        user = await self._directory.get(User, found.user_id) if found is not None else None
        own = (await self._directory.resolve(user.address)).alias if user is not None else None
        for candidate in (found, own):
            if candidate is not None and candidate.mailbox_id:
                return EnvelopeRecipient(candidate.address, _NEVER, mailbox_id=candidate.mailbox_id)
        return None

    def _report(self, consignment: Consignment, owed: OwedNotice, message: QueuedMessage, recipient: str) -> Report:
        failed = owed.settled[0].action == "failed"
        envelope = consignment.envelope
        # the owner has the message from nowhere else; what had to travel under TLS is not given back whole (RFC 8689 §5)
        wanted = envelope.ret == "FULL" or bool(owed.alias)
        full = wanted and failed and message.size <= RETURNED_LIMIT and not envelope.require_tls
        return Report(
            sender=f"MAILER-DAEMON@{self._hostname}",
            recipient=recipient,
            hostname=self._hostname,
            message_id=f"{owed.queue_id}@{self._hostname}",
            now=self._clock.now(),
            arrived_at=consignment.queued_at,
            recipients=[_shown(one) if not owed.alias else _status(one) for one in owed.settled],
            returned=b"".join(message.chunks()) if full else message.header()[:RETURNED_LIMIT],
            header_only=not full,
            envelope_id=envelope.envelope_id,
            hold_request=envelope.hold_request,
            will_retry_until=owed.retry_until,
        )
