"""Letters of the server itself to people: notices to administrators, invites."""

from collections.abc import Sequence
from pathlib import Path

from mailstead.formats.message.compose import text_message
from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.queue import OutboundQueue

_IN_MEMORY = 64 * 1024


class Letters:
    """Writes as postmaster with the null return path, so that nothing comes back (RFC 3834 §3.3)."""

    def __init__(self, queue: OutboundQueue, spool_folder: Path, hostname: str, clock: Clock) -> None:
        self._queue = queue
        self._spool_folder = spool_folder
        self._clock = clock
        self.hostname = hostname

    async def write(self, recipients: Sequence[str], subject: str, text: str) -> None:
        """Queue a letter to each recipient; durable when it returns. Raises OSError, StoreUnavailableError."""
        now = self._clock.now()
        for recipient in recipients:
            message = text_message(
                sender=f"Mailstead <postmaster@{self.hostname}>",
                recipient=recipient,
                subject=f"Mailstead: {subject}",
                text=text,
                message_id=f"{new_ulid(now)}@{self.hostname}",
                now=now,
            )
            with Spool(_IN_MEMORY, self._spool_folder) as spool:
                spool.append(message)
                envelope = Envelope(sender="", recipients=(EnvelopeRecipient(recipient, frozenset({"NEVER"})),))
                await self._queue.enqueue(envelope, spool, new_ulid(now))
