"""Messages put off until a time; the scheduler brings them back, or whoever opens a mailbox that it cannot open."""

from collections.abc import Sequence

from mailstead.administration.actor import Administration
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Copied, Folder
from mailstead.stores.wakes.wakes import Wakes

MOST = 2 * 366 * 86400.0


async def snooze(
    administration: Administration, mailbox: Mailbox, folder_id: int, uids: Sequence[int], wake_at: float
) -> tuple[Folder, Copied]:
    """Put messages off until then, in seconds since the epoch, at most two years; where they are meanwhile.

    Raises InvalidError, NoSuchFolderError, ConflictError.
    """
    now = administration.clock.now()
    if not now < wake_at <= now + MOST:
        raise InvalidError("The time to come back at is past, or more than two years away")
    wakes = Wakes(administration.documents)
    await wakes.note(mailbox.id, wake_at)
    done = await administration.mailboxes.run(mailbox.snoozed.snooze, folder_id, uids, wake_at)
    await wakes.note(mailbox.id, wake_at)
    return done
