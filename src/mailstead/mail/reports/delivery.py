"""Local delivery in which the reports' address is one more mailbox, whose owner is the server."""

from collections.abc import Sequence

from mailstead.foundation.clock import Clock
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.stores.trace.trace import Trace, TraceEntry


class DeliveryWithReports:
    """See LocalDelivery: recipients of kind "reports" go to the intake, the others on to `inner`."""

    def __init__(self, inner: LocalDelivery, intake: ReportIntake, trace: Trace, clock: Clock) -> None:
        self._inner = inner
        self._intake = intake
        self._trace = trace
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
        people = [one for one in recipients if one.destination.kind != "reports"]
        inner = iter(
            await self._inner.deliver(sender, people, message, trace_id, delivery_id=delivery_id) if people else []
        )
        results = []
        for one in recipients:
            if one.destination.kind != "reports":
                results.append(next(inner))
                continue
            result = await self._intake.take(one.address, message)
            results.append(result)
            event = {"delivered": "delivered", "deferred": "deferred"}.get(result.outcome, "refused")
            self._trace.record(
                TraceEntry(
                    trace_id=trace_id,
                    at=self._clock.now(),
                    service="reports",
                    event=event,
                    text=f"{one.address}: {result.text}",
                    keys=(one.address, sender),
                )
            )
        return results
