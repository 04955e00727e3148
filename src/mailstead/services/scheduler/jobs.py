"""The table of jobs."""

from mailstead.administration.auditing import expire_audit
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.backups import make_backup, verify_backup
from mailstead.services.scheduler.calendars import fetch_calendars, tell_untold
from mailstead.services.scheduler.certificates import renew_certificates
from mailstead.services.scheduler.dkim import activate_dkim
from mailstead.services.scheduler.job import Job
from mailstead.services.scheduler.mailboxes import (
    check_mailboxes,
    compact_mailboxes,
    expire_mailboxes,
    ingest_sealed,
    keep_keys,
    wake_snoozed,
)
from mailstead.services.scheduler.reports import send_reports
from mailstead.services.scheduler.sending import look_at_proofs
from mailstead.services.transfers import clear_transfers

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


async def sweep_queue(wiring: Wiring) -> str:
    """Remove files of the queue that a crash left without a document."""
    return f"{await wiring.stores.queue.sweep()} orphaned files removed"


async def expire_documents(wiring: Wiring) -> str:
    """Remove documents that have ended: traces past their time, and what else lives for a while."""
    return f"{await wiring.stores.documents.expire()} removed"


async def forget_audit(wiring: Wiring) -> str:
    """Remove entries of the audit log that are past their time."""
    return f"{await expire_audit(wiring.stores.administration)} removed"


JOBS: tuple[Job, ...] = (
    Job(
        name="certificates",
        purpose="certificates renewed, or told of before they end",
        period=12 * _HOUR,
        jitter=_HOUR,
        run=renew_certificates,
    ),
    Job(
        name="sealed-mail",
        purpose="sealed mail taken into mailboxes that the server can open",
        period=10 * _MINUTE,
        jitter=_MINUTE,
        run=ingest_sealed,
    ),
    Job(
        name="snoozed",
        purpose="messages that were put off brought back when their time has come",
        period=30.0,
        jitter=5.0,
        run=wake_snoozed,
    ),
    Job(
        name="undelete-window",
        purpose="messages past the undelete window dropped",
        period=6 * _HOUR,
        jitter=_HOUR,
        run=expire_mailboxes,
    ),
    Job(
        name="integrity",
        purpose="each mailbox's file checked once a week",
        period=_DAY,
        jitter=2 * _HOUR,
        run=check_mailboxes,
    ),
    Job(
        name="compaction",
        purpose="mailbox files made smaller",
        period=_DAY,
        jitter=4 * _HOUR,
        run=compact_mailboxes,
    ),
    Job(
        name="keyrings",
        purpose="key rotations finished, keyrings beside mailboxes kept equal to the directory",
        period=6 * _HOUR,
        jitter=_HOUR,
        run=keep_keys,
    ),
    Job(
        name="dkim",
        purpose="new DKIM keys taken into use when DNS shows them",
        period=10 * _MINUTE,
        jitter=_MINUTE,
        run=activate_dkim,
    ),
    Job(
        name="sending-dns",
        purpose="domains whose mail others can believe, by what DNS says",
        period=_HOUR,
        jitter=10 * _MINUTE,
        run=look_at_proofs,
    ),
    Job(
        name="reports",
        purpose="DMARC and TLS reports of days that are over, sent to those who ask for them",
        period=_HOUR,
        jitter=10 * _MINUTE,
        run=send_reports,
    ),
    Job(
        name="calendars",
        purpose="calendars of elsewhere fetched",
        period=5 * _MINUTE,
        jitter=_MINUTE,
        run=fetch_calendars,
    ),
    Job(
        name="invitations",
        purpose="changes of events told of that a stopped server left untold",
        period=6 * _HOUR,
        jitter=_HOUR,
        run=tell_untold,
    ),
    Job(
        name="queue-files",
        purpose="orphaned files of the outbound queue removed",
        period=6 * _HOUR,
        jitter=_HOUR,
        run=sweep_queue,
    ),
    Job(
        name="backup",
        purpose="backups made",
        period=_HOUR,
        jitter=10 * _MINUTE,
        run=make_backup,
    ),
    Job(
        name="backup-verification",
        purpose="the newest backup written out aside and opened",
        period=_HOUR,
        jitter=30 * _MINUTE,
        run=verify_backup,
    ),
    Job(
        name="transfers",
        purpose="imports and exports that ended long ago, and their files, removed",
        period=_HOUR,
        jitter=10 * _MINUTE,
        run=clear_transfers,
    ),
    Job(
        name="audit",
        purpose="entries of the audit log past their time removed",
        period=_DAY,
        jitter=_HOUR,
        run=forget_audit,
    ),
    Job(
        name="ended-documents",
        purpose="traces and other documents past their time removed",
        period=_HOUR,
        jitter=5 * _MINUTE,
        run=expire_documents,
    ),
)
