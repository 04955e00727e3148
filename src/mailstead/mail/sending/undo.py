"""Taking back what waits to be sent: all of a message, or nothing when a part of it is on its way."""

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import NotFoundError, PermanentError
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.records import Consignment, from_document


class TooLateError(PermanentError):
    """The message is on its way, or gone."""

    http_status = 409
    public_text = "The message was sent already"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits for its time."""

    queue_id: str
    trace_id: str
    account: str
    sender: str
    recipients: tuple[str, ...]
    release_at: float
    size: int


class TakenBack(msgspec.Struct, frozen=True):
    """A message that will not be sent, as it was: header and body, without Bcc."""

    waiting: Waiting
    message: bytes


class Undo:
    """What waits for its time, by the account that submitted it."""

    def __init__(self, queue: OutboundQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    async def waiting(self, trace_id: str) -> Waiting:
        """The message that is traced as `trace_id`. Raises NotFoundError."""
        return _together(await self._consignments(trace_id))

    async def _consignments(self, trace_id: str) -> list[Consignment]:
        found = [from_document(one) for one in await self._queue.consignments.find({"trace_id": trace_id})]
        own = [one for one in found if one.envelope.account and one.envelope.release_at > 0]
        if not own:
            raise NotFoundError("No message waits to be sent as that")
        return own

    async def take_back(self, trace_id: str) -> TakenBack:
        """Take the message out of the queue. Raises NotFoundError, TooLateError, OSError, StoreUnavailableError."""
        consignments = await self._consignments(trace_id)
        stopped: list[Consignment] = []
        for one in consignments:
            held = None
            if one.envelope.release_at > self._clock.now():
                untouched = {"id": one.id, "state": "ready", "attempts": 0}
                held = await self._queue.consignments.claim(untouched, {"state": "held"})
            if held is None:
                for other in stopped:
                    await self._queue.consignments.claim({"id": other.id, "state": "held"}, {"state": "ready"})
                await self._queue.announce([])
                raise TooLateError
            stopped.append(one)
        with self._queue.read(consignments[0]) as queued:
            message = b"".join(queued.chunks())
        for one in consignments:
            await self._queue.remove(one)
        return TakenBack(_together(consignments), message)


def _together(consignments: list[Consignment]) -> Waiting:
    first = consignments[0]
    return Waiting(
        queue_id=first.queue_id,
        trace_id=first.trace_id,
        account=first.envelope.account,
        sender=first.sender,
        recipients=tuple(recipient.address for one in consignments for recipient in one.recipients),
        release_at=first.envelope.release_at,
        size=first.size,
    )
