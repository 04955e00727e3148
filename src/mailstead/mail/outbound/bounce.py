"""Notices to senders: who is told what (RFC 3461 §4.1, §5), and never about a notice (RFC 5321 §4.5.5)."""

from collections.abc import Sequence

import msgspec

from mailstead.formats.message.delivery_status import Action, RecipientStatus, Report, compose_report, returned_part
from mailstead.formats.message.header import header_end
from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.records import Consignment

_SPOOL_IN_MEMORY = 1024 * 1024
_WANTED: dict[Action, str] = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS", "relayed": "SUCCESS"}
_BY_DEFAULT = ("FAILURE", "DELAY")


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told of one recipient."""

    recipient: EnvelopeRecipient
    action: Action
    status: str
    remote_host: str = ""
    diagnostic: str = ""


def is_wanted(recipient: EnvelopeRecipient, action: Action) -> bool:
    """Whether the sender asked to be told of `action`; without NOTIFY, of failures and delays."""
    return _WANTED[action] in (recipient.notify or _BY_DEFAULT)


class Notices:
    """Puts notices into the queue, which knows local senders from remote ones."""

    def __init__(self, queue: OutboundQueue, hostname: str, clock: Clock) -> None:
        self._queue = queue
        self._hostname = hostname
        self._clock = clock

    async def send(
        self, consignment: Consignment, settled: Sequence[Settled], *, retry_until: float | None = None
    ) -> str:
        """Queue one notice of one action for `settled`; returns its queue id, "" when nobody is to be told.

        Durable when it returns: send it before the recipients are struck off.
        """
        told = [one for one in settled if is_wanted(one.recipient, one.action)]
        if not consignment.sender or not told:
            return ""
        now = self._clock.now()
        message = b"".join(self._queue.read(consignment.queue_id))
        full = consignment.envelope.ret == "FULL" and told[0].action == "failed"
        returned, header_only = returned_part(message, header_end(message, 0, len(message)), full=full)
        report = Report(
            sender=f"MAILER-DAEMON@{self._hostname}",
            recipient=consignment.sender,
            hostname=self._hostname,
            message_id=f"{new_ulid(now)}@{self._hostname}",
            now=now,
            arrived_at=consignment.queued_at,
            recipients=[
                RecipientStatus(
                    address=one.recipient.address,
                    action=one.action,
                    status=one.status,
                    original=one.recipient.original,
                    remote_host=one.remote_host,
                    diagnostic=one.diagnostic,
                )
                for one in told
            ],
            returned=returned,
            header_only=header_only,
            envelope_id=consignment.envelope.envelope_id,
            will_retry_until=retry_until,
        )
        with Spool(_SPOOL_IN_MEMORY * 4, self._queue.path("x").parent) as spool:
            spool.append(compose_report(report))
            envelope = Envelope(sender="", recipients=(EnvelopeRecipient(consignment.sender, frozenset({"NEVER"})),))
            return await self._queue.enqueue(envelope, spool, consignment.trace_id)
