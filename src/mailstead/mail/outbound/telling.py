"""Events of the queue's work: for hooks of the sender's domain, and for the sender's own live sessions."""

import re
from collections.abc import Sequence

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.mail.outbound.records import Consignment
from mailstead.mail.outbound.verdict import Verdict
from mailstead.mail.webhooks.events import Events, moment
from mailstead.stores.bus.interface import Bus, BusLostError
from mailstead.stores.directory.records import EventKind

log = structlog.get_logger("mailstead.queue")
_CODE = re.compile(r"\b([2-5]\d\d)[ -]")
_KINDS: dict[str, EventKind] = {"delivered": "delivered", "failed": "bounce", "deferred": "deferred"}
_WORDS = {"delivered": "sent", "bounce": "bounced", "deferred": "deferred"}


def sent_channel(address: str) -> str:
    """Where on the bus is told what became of mail that an address sent: a SentChange in JSON."""
    return f"sent.{address.lower()}"


class SentChange(msgspec.Struct, frozen=True):
    """What became of one recipient; `status` is sent, deferred or bounced."""

    email_id: str
    recipient: str
    status: str
    message: str


class Telling:
    """Tells what came of each attempt."""

    def __init__(self, events: Events, bus: Bus, clock: Clock) -> None:
        self._events = events
        self._bus = bus
        self._clock = clock

    async def settled(self, consignment: Consignment, verdicts: Sequence[Verdict], *, given_up: bool) -> None:
        """Tell of an attempt before it is written down as settled: a repeated step tells the same, once.

        Raises StoreUnavailableError.
        """
        domain = consignment.sender.rpartition("@")[2].lower()
        if not domain or consignment.envelope.original_sender:
            return  # nobody here sent a notice, or what an alias passes on
        for verdict in verdicts:
            kind = "bounce" if given_up and verdict.outcome == "deferred" else _KINDS[verdict.outcome]
            await self._hooks(consignment, verdict, kind, domain)
            await self._live(consignment, verdict, kind)

    async def _hooks(self, consignment: Consignment, verdict: Verdict, kind: EventKind, domain: str) -> None:
        found = _CODE.search(verdict.text)
        code = int(found[1]) if found else 0
        address = verdict.recipient.address
        data = {
            "email_id": consignment.trace_id,
            "queue_id": consignment.queue_id,
            "sender": consignment.sender,
            "recipient": address,
            "attempt": consignment.attempts + 1,
            "host": verdict.remote_host,
            "encrypted": verdict.encrypted,
            "response": verdict.text,
            "response_code": code,
            "status": verdict.status,
        }
        extra = {}
        if kind == "bounce":  # what receivers written for Forward Email look for
            extra = {
                "email_id": consignment.trace_id,
                "recipient": address,
                "message": verdict.text,
                "response": verdict.text,
                "response_code": code,
                "bounce": {"action": "reject", "message": verdict.text, "code": code, "status": verdict.status},
                "bounced_at": moment(self._clock.now()),
            }
        once = f"{consignment.id} {consignment.attempts} {address}"
        await self._events.tell(kind, domain, data, once=once, extra=extra)

    async def _live(self, consignment: Consignment, verdict: Verdict, kind: EventKind) -> None:
        change = SentChange(consignment.trace_id, verdict.recipient.address, _WORDS[kind], verdict.text)
        try:
            await self._bus.publish(sent_channel(consignment.sender), msgspec.json.encode(change))
        except BusLostError:
            log.debug("live sessions were not told", queue_id=consignment.queue_id)
