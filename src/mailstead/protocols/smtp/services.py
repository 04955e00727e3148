"""What every SMTP session works with."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.metrics import Metrics
from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.reports.collector import ResultCollector
from mailstead.mail.routing.delivery import LocalDelivery
from mailstead.mail.routing.plan import Planner
from mailstead.mail.routing.router import Router
from mailstead.mail.screening.screening import Screening
from mailstead.mail.sending.policy import SendingPolicy
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.trace.trace import Trace, TraceEntry


class SmtpServices(msgspec.Struct, frozen=True):
    """`router` is for mx and submission, `local` for LMTP; `spool_folder` takes large messages on their way in.

    With `mailboxes`, where they are on this node, a full mailbox is noticed before the message is sent. Without
    `authentication` nobody asks who sent a message, without `screening` whether it is wanted; nor is it asked of the
    `own` connections of this process. What may be submitted is the matter of `sending`; `collector` counts for DMARC
    reports. Without `planner` no rewritten return path is known.
    """

    directory: Directory
    authenticator: Authenticator
    router: Router
    local: LocalDelivery
    trace: Trace
    settings: Settings
    metrics: Metrics
    clock: Clock
    hostname: str
    spool_folder: Path
    mailboxes: Mailboxes | None = None
    authentication: InboundAuthentication | None = None
    screening: Screening | None = None
    own: Collection[tuple[str, int]] = ()
    sending: SendingPolicy | None = None
    planner: Planner | None = None
    collector: ResultCollector | None = None

    def note(self, service: str, trace_id: str, event: str, text: str, *keys: str, message_id: str = "") -> None:
        """Record what happened to a message."""
        self.trace.record(
            TraceEntry(
                trace_id=trace_id,
                at=self.clock.now(),
                service=service,
                event=event,
                text=text,
                message_id=message_id,
                keys=keys,
            )
        )
