"""Messages to the administrators about what needs them."""

import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.mail.outbound.letters import Letters
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import User

log = structlog.get_logger("mailstead.notice")


async def write_to_administrators(stores: Stores, subject: str, text: str) -> None:
    """Queue a message to every administrator; what hinders that is logged, for what it tells of is what counts."""
    letters = Letters(stores.queue, stores.data / "spool", host_name(stores.settings), stores.clock)
    try:
        administrators = await stores.directory.find(User, is_admin=True)
        await letters.write([user.address for user in administrators], subject, text)
    except (MailsteadError, OSError) as error:
        log.error("administrators not told", subject=subject, why=str(error))
