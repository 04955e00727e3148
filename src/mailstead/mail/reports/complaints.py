"""Complaints about our mail (ARF): who complained is not written to again.

Anybody can write such a report. It is acted on only when the message that it shows is one that we sent: its Message-ID
is in the trace, with the recipient who is said to complain, or with one recipient alone.
"""

import structlog

from mailstead.formats.message.header import first_values
from mailstead.formats.reports.arf import FeedbackReport
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.mail.webhooks.events import Events
from mailstead.stores.trace.trace import Trace

log = structlog.get_logger("mailstead.reports")
_HEEDED = ("abuse", "fraud", "opt-out", "opt-out-list", "complaint")


class Complaints:
    """Acts on feedback reports."""

    def __init__(self, suppressions: SuppressionList, trace: Trace, events: Events | None = None) -> None:
        self._suppressions = suppressions
        self._trace = trace
        self._events = events

    async def heed(self, report: FeedbackReport, domain: str) -> str:
        """Suppress the recipient for `domain`; says what was done, "" for nothing."""
        if report.feedback_type not in _HEEDED:
            return ""
        fields = first_values(report.original_header, len(report.original_header))
        message_id = fields.get(b"message-id", b"").decode("utf-8", "replace").strip()
        if not message_id:
            return ""
        await self._trace.flush()
        ways = {entry.trace_id for entry in await self._trace.find(message_id)}
        sent_to: set[str] = set()
        for way in ways:
            for entry in await self._trace.find(way):
                recipient = entry.detail.get("recipient")
                if entry.event == "delivered" and isinstance(recipient, str):
                    sent_to.add(recipient.lower())
        named = {address.lower() for address in report.original_rcpt_to}
        complaining = named & sent_to if named else sent_to if len(sent_to) == 1 else set()
        for address in sorted(complaining):
            await self._suppressions.add(domain, address, "complaint", f"{report.feedback_type} about {message_id}")
            log.info("complaint heeded", domain=domain, address=address)
            if self._events is not None:
                data = {"recipient": address, "message_id": message_id, "feedback_type": report.feedback_type}
                await self._events.try_to_tell("complaint", domain, data, once=f"{message_id} {address}")
        return f"; not written to any more: {', '.join(sorted(complaining))}" if complaining else ""
