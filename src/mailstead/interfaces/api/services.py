"""What endpoints work with."""

import msgspec

from mailstead.administration.actor import Administration
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.metrics import Metrics
from mailstead.interfaces.identity import Identification
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.stores.bus.interface import Bus
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.trace.trace import Trace


class ApiServices(msgspec.Struct, frozen=True):
    """Everything an endpoint may need."""

    administration: Administration
    identification: Identification
    mailboxes: Mailboxes
    agent: SubmissionAgent
    queue: OutboundQueue
    trace: Trace
    bus: Bus
    resolver: Resolver
    settings: Settings
    metrics: Metrics
    clock: Clock
    hostname: str
