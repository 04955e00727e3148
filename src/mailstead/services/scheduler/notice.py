"""Messages to the administrators: about a job that fails again and again, and about what else needs them."""

import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.mail.outbound.letters import Letters
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.job import Job
from mailstead.stores.directory.records import User

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
    letters = Letters(stores.queue, stores.data / "spool", wiring.hostname, stores.clock)
    try:
        administrators = await stores.directory.find(User, is_admin=True)
        await letters.write([user.address for user in administrators], subject, text)
    except (MailsteadError, OSError) as error:
        log.error("administrators not told", subject=subject, why=str(error))
