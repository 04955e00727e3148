"""Local delivery in which the reports' address is one more mailbox, whose owner is the server."""

from collections.abc import Sequence

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.routing.delivery import LocalDelivery, LocalRecipient
from mailstead.mail.sending.return_path import Verp
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.stores.trace.trace import Trace, TraceEntry

log = structlog.get_logger("mailstead.reports")
_NOTICE_LIMIT = 256 * 1024


class DeliveryWithReports:
    """See LocalDelivery: recipients of kind "reports" go to the intake, the others on to `inner`.

    What comes back to a return path of its own (VERP) is counted before it goes to the mailbox.
    """

    def __init__(
        self,
        inner: LocalDelivery,
        intake: ReportIntake,
        trace: Trace,
        clock: Clock,
        *,
        verp: Verp,
        suppressions: SuppressionList,
    ) -> None:
        self._verp = verp
        self._suppressions = suppressions
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
        if not sender:
            await self._heed_notices(recipients, message)
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

    async def _heed_notices(self, recipients: Sequence[LocalRecipient], message: Spool) -> None:
        """Count a bounce that comes back by a return path of its own (VERP)."""
        for one in recipients:
            if self._verp.read(one.address) is None:
                continue
            bounced = self._verp.bounced(one.address, message.start(_NOTICE_LIMIT))
            if bounced is not None:
                domain = bounced.sender.rpartition("@")[2].lower()
                try:
                    await self._suppressions.add(domain, bounced.recipient, "bounce", bounced.text)
                except TemporaryError as error:  # the notice arrived all the same
                    log.warning("bounce not counted", recipient=bounced.recipient, why=str(error))
