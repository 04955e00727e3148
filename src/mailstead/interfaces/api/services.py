"""What endpoints work with."""

from collections.abc import Awaitable, Callable

import msgspec

from mailstead.administration.actor import Administration
from mailstead.administration.backup.backups import Backups
from mailstead.administration.doctor.finding import Examination
from mailstead.administration.transfer.desk import TransferDesk
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.metrics import Metrics
from mailstead.interfaces.api.live.sockets import Sockets
from mailstead.interfaces.api.status import StatusShown
from mailstead.interfaces.identity import Identification
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.outbound.letters import Letters
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.scheduling.editor import CalendarEditor
from mailstead.mail.sending.proof import Proofs
from mailstead.mail.webhooks.events import Events
from mailstead.stores.bus.interface import Bus
from mailstead.stores.events.deliveries import EventDeliveries
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.sent.sent import SentMessages
from mailstead.stores.trace.trace import Trace


class ApiServices(msgspec.Struct, frozen=True):
    """Everything an endpoint may need."""

    administration: Administration
    identification: Identification
    mailboxes: Mailboxes
    calendars: CalendarEditor
    agent: SubmissionAgent
    queue: OutboundQueue
    trace: Trace
    sent: SentMessages
    events: Events
    deliveries: EventDeliveries
    bus: Bus
    transfers: TransferDesk
    resolver: Resolver
    proofs: Proofs
    settings: Settings
    metrics: Metrics
    clock: Clock
    hostname: str
    sockets: Sockets
    letters: Letters
    status: Callable[[], Awaitable[StatusShown]]
    run_job: Callable[[str], Awaitable[None]]
    examination: Callable[[], Examination]
    backups: Backups
