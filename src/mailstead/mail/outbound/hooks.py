"""One attempt to deliver a consignment to webhooks: an arriving message as JSON."""

import asyncio
import hashlib
from typing import Literal
from urllib.parse import urlsplit

from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.settings import Settings
from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.records import Consignment
from mailstead.mail.outbound.verdict import Attempt, Verdict
from mailstead.mail.routing.arrival_results import arrival_results
from mailstead.mail.webhooks.message import Occasion, message_json
from mailstead.mail.webhooks.post import HookAnswer, Hooks
from mailstead.stores.directory.directory import Directory


class HookAttempts:
    """Delivers to one webhook after the other; each is retried by itself."""

    def __init__(self, hooks: Hooks, directory: Directory, settings: Settings, identifier: str) -> None:
        """`identifier` is our name in Authentication-Results."""
        self._hooks = hooks
        self._directory = directory
        self._limit = settings.webhook.size_limit
        self._identifier = identifier
        mime = settings.mime
        self._bounds = Bounds(
            nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses
        )

    async def attempt(self, consignment: Consignment, message: QueuedMessage) -> Attempt:
        """A verdict for every recipient. Raises OSError, SealError of the file's, StoreUnavailableError."""
        if message.size > self._limit:
            text = f"552 5.3.4 the message is larger than the {self._limit} octets that go to a webhook"
            return Attempt([_verdict(one, "failed", "5.3.4", text) for one in consignment.recipients])
        loop = asyncio.get_running_loop()
        raw = await loop.run_in_executor(None, lambda: b"".join(message.chunks()))
        verdicts = []
        for recipient in consignment.recipients:
            occasion = self._occasion(consignment, recipient, raw)
            body = await loop.run_in_executor(None, message_json, raw, occasion, self._bounds)
            key = (await self._directory.webhook_key(recipient.address.rpartition("@")[2])).encode()
            # the same for every attempt, another for every webhook
            which = hashlib.blake2b(f"{recipient.via} {recipient.address}".encode(), digest_size=8).hexdigest()
            identifier = f"{consignment.queue_id}-{which}"
            answer = await self._hooks.post(recipient.via, key, [body], identifier=identifier)
            verdicts.append(_by_answer(recipient, answer))
        return Attempt(verdicts)

    def _occasion(self, consignment: Consignment, recipient: EnvelopeRecipient, raw: bytes) -> Occasion:
        results = arrival_results(raw[: self._bounds.header_size], self._identifier)
        envelope = consignment.envelope
        return Occasion(
            recipient=recipient.alias or recipient.address,
            sender=envelope.original_sender or envelope.sender,
            arrived_at=consignment.queued_at,
            results=None if results is None else results.results,
        )


def _by_answer(recipient: EnvelopeRecipient, answer: HookAnswer) -> Verdict:
    if answer.is_delivered:
        return _verdict(recipient, "delivered", "2.0.0", answer.text)
    if answer.is_final:
        return _verdict(recipient, "failed", "5.0.0", f"554 5.0.0 {answer.text}")
    return _verdict(recipient, "deferred", "4.4.1", f"451 4.4.1 {answer.text}")


def _verdict(
    recipient: EnvelopeRecipient, outcome: Literal["delivered", "failed", "deferred"], status: str, text: str
) -> Verdict:
    return Verdict(
        recipient=recipient,
        outcome=outcome,
        status=status,
        text=text,
        remote_host=urlsplit(recipient.via).hostname or "",
    )
