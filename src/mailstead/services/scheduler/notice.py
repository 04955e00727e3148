"""Messages to the administrators: about a job that fails again and again, and about what else needs them."""

import structlog

from mailstead.formats.message.compose import text_message
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.job import Job
from mailstead.stores.directory.records import User

_IN_MEMORY = 64 * 1024
_TEXT = """The job "{name}" of this mail server ({purpose}) failed {failures} times in a row.

  {why}

It is tried again by itself, at least every {hours:g} hours; the next message comes only after it was well in between.
See also: mailstead status
"""

log = structlog.get_logger("mailstead.scheduler")


async def tell_administrators(wiring: Wiring, job: Job, why: str, failures: int) -> None:
    """Queue a message about a job that fails; see `write_to_administrators`."""
    text = _TEXT.format(name=job.name, purpose=job.purpose, failures=failures, why=why, hours=job.period / 3600)
    await write_to_administrators(wiring, f"{job.name} fails", text)


async def write_to_administrators(wiring: Wiring, subject: str, text: str) -> None:
    """Queue a message to every administrator; what hinders that is logged, for what it tells of is what counts."""
    stores = wiring.stores
    now = stores.clock.now()
    sender = f"postmaster@{wiring.hostname}"
    try:
        for user in await stores.directory.find(User, is_admin=True):
            message = text_message(
                sender=f"Mailstead <{sender}>",
                recipient=user.address,
                subject=f"Mailstead: {subject}",
                text=text,
                message_id=f"{new_ulid(now)}@{wiring.hostname}",
                now=now,
            )
            with Spool(_IN_MEMORY, stores.data / "spool") as spool:
                spool.append(message)
                envelope = Envelope(sender="", recipients=(EnvelopeRecipient(user.address, frozenset({"NEVER"})),))
                await stores.queue.enqueue(envelope, spool, new_ulid(now))
    except (MailsteadError, OSError) as error:
        log.error("administrators not told", subject=subject, why=str(error))
