"""All settings as one typed object."""

import msgspec

from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.sections.port import PortSettings
from mailstead.foundation.config.sections.server import ServerSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every option of Mailstead, by section; a field's name is the section's prefix in environment names."""

    server: ServerSettings = msgspec.field(default_factory=ServerSettings)
    port: PortSettings = msgspec.field(default_factory=PortSettings)
    message: MessageSettings = msgspec.field(default_factory=MessageSettings)
    mailbox: MailboxSettings = msgspec.field(default_factory=MailboxSettings)
