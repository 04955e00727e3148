"""The jobs that make backups and verify them, as often as Settings say."""

from typing import Literal

from mailstead.administration.actor import Actor
from mailstead.foundation.errors import TemporaryError
from mailstead.services.backup import backups
from mailstead.services.definition import Wiring

_SCHEDULER = Actor("scheduler", "server", is_admin=True)
_SLACK = 0.05  # of the period: a job that comes a little early is not put off to the next hour


class MailboxesLeftOutError(TemporaryError):
    """Some mailboxes could not be copied; what the backup has of them is older."""

    public_text = "Not every mailbox was copied"


async def make_backup(wiring: Wiring) -> str:
    """Make a backup when one is due. Raises MailboxesLeftOutError, ResticError, CaptureError, OSError."""
    settings = wiring.stores.settings.backup
    if not settings.repository or not await _is_due(wiring, "run", settings.every):
        return "nothing is due"
    made = await backups(wiring.stores).run(_SCHEDULER)
    if made.manifest.busy:
        raise MailboxesLeftOutError(detail=", ".join(made.manifest.busy))
    return f"{made.snapshot[:8]}: {made.manifest.mailboxes} mailboxes, {made.manifest.documents} documents"


async def verify_backup(wiring: Wiring) -> str:
    """Verify the newest backup when that is due. Raises BackupDamagedError, ResticError, OSError."""
    settings = wiring.stores.settings.backup
    if not settings.repository or not await _is_due(wiring, "verify", settings.verify_every):
        return "nothing is due"
    if not await backups(wiring.stores).list(_SCHEDULER):
        return "there is none yet"
    found = await backups(wiring.stores).verify(_SCHEDULER)
    return f"{found.snapshot} is whole"


async def _is_due(wiring: Wiring, what: Literal["run", "verify"], every: float) -> bool:
    found = backups(wiring.stores)
    if await found.is_asked(what):
        return True
    last = await found.last(what)
    return every > 0 and wiring.stores.clock.now() >= last + every * (1 - _SLACK)
