"""Notices to senders: who is told what (RFC 3461 §4.1, §5), and never about a notice (RFC 5321 §4.5.5)."""

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
from mailstead.mail.outbound.records import Consignment, OwedNotice

_SPOOL_IN_MEMORY = 4 * 1024 * 1024
_WANTED: dict[Action, str] = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS", "relayed": "SUCCESS"}
_BY_DEFAULT = ("FAILURE", "DELAY")


def is_wanted(recipient: EnvelopeRecipient, action: Action) -> bool:
    """Whether the sender asked to be told of `action`; without NOTIFY, of failures and delays."""
    return _WANTED[action] in (recipient.notify or _BY_DEFAULT)


class Notices:
    """Puts notices into the queue, which knows local senders from remote ones."""

    def __init__(self, queue: OutboundQueue, hostname: str, clock: Clock) -> None:
        self._queue = queue
        self._hostname = hostname
        self._clock = clock

    async def enqueue(self, consignment: Consignment, owed: OwedNotice, message: QueuedMessage, until: float) -> None:
        """Queue an owed notice, pending until `until`; the second time it changes nothing."""
        report = compose_report(self._report(consignment, owed, message))
        with Spool(_SPOOL_IN_MEMORY, self._queue.files.folder) as spool:
            spool.append(report)
            envelope = Envelope(
                sender="",
                recipients=(EnvelopeRecipient(consignment.sender, frozenset({"NEVER"})),),
                smtputf8=not consignment.sender.isascii(),
                require_tls=consignment.envelope.require_tls,
            )
            await self._queue.enqueue_owed(owed.queue_id, consignment.id, envelope, spool, consignment.trace_id, until)

    def _report(self, consignment: Consignment, owed: OwedNotice, message: QueuedMessage) -> Report:
        failed = owed.settled[0].action == "failed"
        envelope = consignment.envelope
        # what had to travel under TLS is not given back whole (RFC 8689 §5)
        full = envelope.ret == "FULL" and failed and message.size <= RETURNED_LIMIT and not envelope.require_tls
        return Report(
            sender=f"MAILER-DAEMON@{self._hostname}",
            recipient=consignment.sender,
            hostname=self._hostname,
            message_id=f"{owed.queue_id}@{self._hostname}",
            now=self._clock.now(),
            arrived_at=consignment.queued_at,
            recipients=[
                RecipientStatus(
                    address=one.recipient.address,
                    action=one.action,
                    status=one.status,
                    original=one.recipient.original,
                    remote_host=one.remote_host,
                    diagnostic=one.diagnostic,
                    advice=one.advice,
                )
                for one in owed.settled
            ],
            returned=b"".join(message.chunks()) if full else message.header()[:RETURNED_LIMIT],
            header_only=not full,
            envelope_id=envelope.envelope_id,
            hold_request=envelope.hold_request,
            will_retry_until=owed.retry_until,
        )
