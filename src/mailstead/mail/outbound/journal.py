"""What the trace says of the queue's work, in plain words."""

from datetime import UTC, datetime

from mailstead.foundation.clock import Clock
from mailstead.mail.outbound.records import LOCAL, Consignment, OwedNotice
from mailstead.mail.outbound.settlement import Settlement
from mailstead.mail.outbound.verdict import Verdict
from mailstead.stores.trace.trace import Trace, TraceEntry

_EVENTS = {"delivered": "delivered", "failed": "bounced", "deferred": "deferred"}
_NOTICES = {
    "failed": "told that delivery failed",
    "delayed": "told of the delay",
    "delivered": "told of the delivery",
    "relayed": "told that the next server sends no notices",
}


class Journal:
    """Writes trace entries for one worker."""

    def __init__(self, trace: Trace, clock: Clock) -> None:
        self._trace = trace
        self._clock = clock

    def verdict(self, consignment: Consignment, verdict: Verdict) -> None:
        """What became of one recipient in one attempt."""
        here = consignment.destination == LOCAL
        words = {
            "delivered": "put into the mailbox" if here else f"handed to {verdict.remote_host}",
            "failed": f"refused by {verdict.remote_host or 'this server'}",
            "deferred": f"not taken yet by {verdict.remote_host or ('the mailbox' if here else consignment.destination)}",
        }
        tls = " over TLS" if verdict.encrypted else ""
        self._note(
            consignment,
            _EVENTS[verdict.outcome],
            f"{verdict.recipient.address}: {words[verdict.outcome]}{tls}: {verdict.text}"
            + (f" ({verdict.advice})" if verdict.advice else ""),
            verdict.recipient.address,
            detail={
                "attempt": consignment.attempts + 1,
                "host": verdict.remote_host,
                "queue_id": consignment.queue_id,
                "recipient": verdict.recipient.address,
            },
        )

    def settlement(self, consignment: Consignment, settlement: Settlement) -> None:
        """When it is tried again, who is told, and what was passed on."""
        if settlement.waiting:
            when = datetime.fromtimestamp(settlement.due_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            names = ", ".join(one.address for one in settlement.waiting)
            self._note(consignment, "waiting", f"tried again at {when} for {names}")
        if settlement.given_up:
            self._note(consignment, "expired", "given up: it was tried for as long as the queue keeps messages")
        for owed in settlement.owed:
            if isinstance(owed, OwedNotice):
                names = ", ".join(one.recipient.address for one in owed.settled)
                action = owed.settled[0].action
                text = f"{consignment.sender} is {_NOTICES[action]} ({names}) by notice {owed.queue_id}"
            else:
                text = f"passed on to {', '.join(one.address for one in owed.recipients)} as {owed.queue_id}"
            self._note(consignment, "queued", text, owed.queue_id)

    def unreadable(self, consignment: Consignment, error: str) -> None:
        """The message's file is gone or damaged."""
        self._note(consignment, "held", f"held: its file in the queue folder cannot be read: {error}")

    def _note(
        self,
        consignment: Consignment,
        event: str,
        text: str,
        *keys: str,
        detail: dict[str, str | int | float | bool] | None = None,
    ) -> None:
        self._trace.record(
            TraceEntry(
                trace_id=consignment.trace_id,
                at=self._clock.now(),
                service="smtp",
                event=event,
                text=text,
                keys=(*keys, consignment.sender, consignment.queue_id),
                detail=detail or {},
            )
        )
