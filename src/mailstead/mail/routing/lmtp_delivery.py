"""Local delivery over LMTP: to the storage service of another process or node."""

from collections.abc import Sequence

import msgspec

from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.client import connect
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient, RecipientResult
from mailstead.mail.routing.delivery import LocalRecipient
from mailstead.mail.transport.client import Client, Timeouts

_CONNECT_TIMEOUT = 10.0


class LmtpTarget(msgspec.Struct, frozen=True):
    """Where the storage service listens: `unix:/path`, or an address and a port."""

    host: str
    port: int


class LmtpDelivery:
    """One connection per message; the storage service groups what arrives together."""

    def __init__(self, target: LmtpTarget, hostname: str) -> None:
        self._target = target
        self._hostname = hostname

    async def deliver(
        self,
        sender: str,
        recipients: Sequence[LocalRecipient],
        message: Spool,
        trace_id: str,
        *,
        delivery_id: str = "",  # noqa: ARG002 the other side has one
    ) -> list[RecipientResult]:
        """See LocalDelivery; a storage service that is away defers every recipient.

        `trace_id` goes as ENVID, and the storage service names the delivery by it: `delivery_id` is its own affair.
        """
        envelope = Envelope(
            sender=sender,
            recipients=tuple(EnvelopeRecipient(recipient.address) for recipient in recipients),
            envelope_id=trace_id,
        )
        try:
            connection = await connect(self._target.host, self._target.port, timeout=_CONNECT_TIMEOUT)
            client = Client(connection, Timeouts(), lmtp=True)
            try:
                await client.greeting()
                await client.hello(self._hostname)
                outcomes = await client.send(envelope, message.chunks(), message.size)
            finally:
                await client.quit()
        except (OSError, MailsteadError) as error:
            text = f"Storage does not answer: {error}"
            return [RecipientResult(one.address, "deferred", 451, "4.3.0", text) for one in recipients]
        results = []
        for outcome in outcomes:
            reply = outcome.reply
            state = "delivered" if reply.positive else "failed" if reply.permanent else "deferred"
            results.append(
                RecipientResult(
                    outcome.recipient.address,
                    "delivered" if state == "delivered" else "failed" if state == "failed" else "deferred",
                    reply.code,
                    reply.enhanced or f"{reply.code // 100}.0.0",
                    reply.text,
                )
            )
        return results
