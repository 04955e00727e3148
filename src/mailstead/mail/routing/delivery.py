"""Final delivery into mailboxes of this node."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.routing.trace_fields import HEADER_LIMIT, delivery_fields, is_junk, without_return_path
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Destination
from mailstead.stores.mailbox.folders import INBOX, JUNK
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.trace.trace import Trace, TraceEntry


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
    digest = hashlib.blake2b(message.start(HEADER_LIMIT), digest_size=16).hexdigest()
    return f"{trace_id} {digest} {message.size}"


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


class DirectDelivery:
    """Delivers to the mailbox files from this process; all mailboxes at once, each with group commit."""

    def __init__(
        self, directory: Directory, mailboxes: Mailboxes, trace: Trace, settings: Settings, clock: Clock
    ) -> None:
        self._directory = directory
        self._mailboxes = mailboxes
        self._trace = trace
        self._settings = settings
        self._clock = clock

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
        folder = JUNK if is_junk(start) else INBOX
        deliveries = (self._deliver(sender, one, body, folder, trace_id, attempt) for one in recipients)
        return list(await asyncio.gather(*deliveries))

    async def _deliver(
        self, sender: str, recipient: LocalRecipient, body: Spool, folder: str, trace_id: str, attempt: str
    ) -> RecipientResult:
        mailbox_id = recipient.destination.mailbox_id
        key: DataKey | None = None
        spool = body.replaced(0, delivery_fields(sender, recipient.address))
        try:
            alias = await self._directory.alias_of_mailbox(mailbox_id)
            key = await self._directory.mailbox_key(mailbox_id)
            quota = alias.quota if alias is not None and alias.quota is not None else self._settings.mailbox.quota
            receipt = await self._mailboxes.deliver(
                mailbox_id,
                key,
                alias.public_key if alias is not None else b"",
                spool,
                folder=folder,
                quota=quota,
                delivery_id=attempt and f"{attempt} {recipient.address}",
            )
        except MailsteadError as error:
            outcome = "deferred" if error.temporary else "failed"
            self._note(trace_id, "deferred" if error.temporary else "refused", recipient.address, str(error))
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
        where = f"put into {receipt.folder} of {recipient.address}"
        text = f"sealed for {recipient.address}, to be read with the owner's key" if receipt.sealed else where
        self._note(trace_id, "delivered", recipient.address, text)
        return RecipientResult(recipient.address, "delivered", 250, "2.1.5", "Delivered")

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
