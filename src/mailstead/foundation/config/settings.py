"""All settings as one typed object."""

import msgspec

from mailstead.foundation.config.sections.acme import AcmeSettings
from mailstead.foundation.config.sections.api import ApiSettings
from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.backup import BackupSettings
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.config.sections.health import HealthSettings
from mailstead.foundation.config.sections.http import HttpSettings
from mailstead.foundation.config.sections.imap import ImapSettings
from mailstead.foundation.config.sections.lmtp import LmtpSettings
from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.sections.migration import MigrationSettings
from mailstead.foundation.config.sections.mime import MimeSettings
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.config.sections.mx import MxSettings
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.config.sections.pop3 import Pop3Settings
from mailstead.foundation.config.sections.port import PortSettings
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.config.sections.scheduler import SchedulerSettings
from mailstead.foundation.config.sections.scheduling import SchedulingSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.foundation.config.sections.smtp import SmtpSettings
from mailstead.foundation.config.sections.submission import SubmissionSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.config.sections.trace import TraceSettings
from mailstead.foundation.config.sections.web import WebSettings
from mailstead.foundation.config.sections.webhook import WebhookSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every option of Mailstead, by section; a field's name is the section's prefix in environment names."""

    server: ServerSettings = msgspec.field(default_factory=ServerSettings)
    port: PortSettings = msgspec.field(default_factory=PortSettings)
    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    tls: TlsSettings = msgspec.field(default_factory=TlsSettings)
    acme: AcmeSettings = msgspec.field(default_factory=AcmeSettings)
    dns: DnsSettings = msgspec.field(default_factory=DnsSettings)
    health: HealthSettings = msgspec.field(default_factory=HealthSettings)
    http: HttpSettings = msgspec.field(default_factory=HttpSettings)
    web: WebSettings = msgspec.field(default_factory=WebSettings)
    forward: ForwardSettings = msgspec.field(default_factory=ForwardSettings)
    webhook: WebhookSettings = msgspec.field(default_factory=WebhookSettings)
    api: ApiSettings = msgspec.field(default_factory=ApiSettings)
    message: MessageSettings = msgspec.field(default_factory=MessageSettings)
    mime: MimeSettings = msgspec.field(default_factory=MimeSettings)
    login: LoginSettings = msgspec.field(default_factory=LoginSettings)
    smtp: SmtpSettings = msgspec.field(default_factory=SmtpSettings)
    mx: MxSettings = msgspec.field(default_factory=MxSettings)
    submission: SubmissionSettings = msgspec.field(default_factory=SubmissionSettings)
    lmtp: LmtpSettings = msgspec.field(default_factory=LmtpSettings)
    pop3: Pop3Settings = msgspec.field(default_factory=Pop3Settings)
    authentication: AuthenticationSettings = msgspec.field(default_factory=AuthenticationSettings)
    mta_sts: MtaStsSettings = msgspec.field(default_factory=MtaStsSettings)
    dkim: DkimSettings = msgspec.field(default_factory=DkimSettings)
    imap: ImapSettings = msgspec.field(default_factory=ImapSettings)
    sieve: SieveSettings = msgspec.field(default_factory=SieveSettings)
    dav: DavSettings = msgspec.field(default_factory=DavSettings)
    queue: QueueSettings = msgspec.field(default_factory=QueueSettings)
    reports: ReportsSettings = msgspec.field(default_factory=ReportsSettings)
    sending: SendingSettings = msgspec.field(default_factory=SendingSettings)
    mailbox: MailboxSettings = msgspec.field(default_factory=MailboxSettings)
    migration: MigrationSettings = msgspec.field(default_factory=MigrationSettings)
    bus: BusSettings = msgspec.field(default_factory=BusSettings)
    documents: DocumentsSettings = msgspec.field(default_factory=DocumentsSettings)
    trace: TraceSettings = msgspec.field(default_factory=TraceSettings)
    backup: BackupSettings = msgspec.field(default_factory=BackupSettings)
    scheduler: SchedulerSettings = msgspec.field(default_factory=SchedulerSettings)
    scheduling: SchedulingSettings = msgspec.field(default_factory=SchedulingSettings)
