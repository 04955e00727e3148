"""Jobs on the mailboxes of this node that the server can open."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mailstead.administration.rotation import finish_rotation
from mailstead.administration.slots import keep_keyring
from mailstead.foundation.errors import MailsteadError, PermanentError
from mailstead.services.definition import Wiring
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.sealed import waiting
from mailstead.stores.wakes.wakes import Wakes

T = TypeVar("T")
_CHECK_EVERY = 7 * 86400.0
_CHECKED_AT = "checked_at"
_NAMED = 10
_STEPS = 10_000  # of one mailbox in one run


class MailboxesTroubledError(PermanentError):
    """Some mailboxes could not be cared for, or are damaged; the text names them."""


async def ingest_sealed(wiring: Wiring) -> str:
    """Take in sealed mail that waits where a server slot exists again; opening does it."""
    mailboxes = wiring.stores.mailboxes

    def has_waiting(alias: Alias) -> bool:
        return bool(waiting(mailboxes.directory(alias.mailbox_id) / "incoming"))

    opened = await _each(wiring, lambda mailbox: mailbox.id, has_waiting)
    return f"{len(opened)} mailboxes had sealed mail waiting"


async def expire_mailboxes(wiring: Wiring) -> str:
    """Drop for good what left the undelete window."""
    now = wiring.stores.clock.now()
    gone = await _each(wiring, lambda mailbox: mailbox.expire(now))
    return f"{sum(gone)} messages of {len(gone)} mailboxes dropped"


async def wake_snoozed(wiring: Wiring) -> str:
    """Bring back messages that were put off until now. A locked mailbox does that itself when it is opened."""
    wakes, now = Wakes(wiring.stores.documents), wiring.stores.clock.now()
    due = {wake.id: wake for wake in await wakes.due(now)}
    if not due:
        return "nothing was to come back"
    looked: dict[str, float | None] = {}

    def wake(mailbox: Mailbox) -> None:
        mailbox.snoozed.wake(now)
        looked[mailbox.id] = mailbox.snoozed.next_wake()

    known = {alias.mailbox_id: alias for alias in await wiring.stores.directory.find(Alias)}
    try:
        await _each(wiring, wake, lambda alias: alias.mailbox_id in due)
    finally:
        for mailbox_id, one in due.items():
            alias = known.get(mailbox_id)
            if mailbox_id in looked or alias is None or alias.is_locked:
                await wakes.settle(one, looked.get(mailbox_id))
    return f"messages came back in {len(looked)} mailboxes"


async def check_mailboxes(wiring: Wiring) -> str:
    """Check each file that was not checked for a week. Raises MailboxesTroubledError when one is damaged."""
    now = wiring.stores.clock.now()

    def check(mailbox: Mailbox) -> bool:
        if now - (mailbox.setting(_CHECKED_AT) or 0.0) < _CHECK_EVERY:
            return False
        problems = mailbox.check()
        if problems:
            raise MailboxesTroubledError("; ".join(problems[:_NAMED]))
        mailbox.set_setting(_CHECKED_AT, now)
        return True

    checked = await _each(wiring, check)
    return f"{sum(checked)} mailboxes checked and well"


async def compact_mailboxes(wiring: Wiring) -> str:
    """Make files smaller, each in short steps that let others write in between."""
    return f"{sum(await _each(wiring, _compact))} steps of compaction done"


def _compact(mailbox: Mailbox) -> int:
    for steps in range(_STEPS):
        if not mailbox.compact():
            return steps
    return _STEPS


async def keep_keys(wiring: Wiring) -> str:
    """Finish rotations that were cut off, and make each keyring equal to the directory; locked mailboxes too."""
    administration = wiring.stores.administration
    kept = 0
    troubles: list[str] = []
    for alias in await wiring.stores.directory.find(Alias):
        try:
            kept += await keep_keyring(administration, await finish_rotation(administration, alias))
        except (MailsteadError, OSError) as error:
            troubles.append(f"{alias.address}: {error}")
    _tell(troubles)
    return f"{kept} keyrings written"


def _any(_: Alias) -> bool:
    return True


async def _each(wiring: Wiring, work: Callable[[Mailbox], T], wanted: Callable[[Alias], bool] = _any) -> list[T]:
    """See each_opened; `work` is called on a thread."""
    mailboxes = wiring.stores.mailboxes
    return await each_opened(wiring, lambda mailbox: mailboxes.run(work, mailbox), wanted)


async def each_opened(
    wiring: Wiring, work: Callable[[Mailbox], Awaitable[T]], wanted: Callable[[Alias], bool] = _any
) -> list[T]:
    """What `work` gives for each `wanted` mailbox that has a server slot.

    One that makes trouble does not keep the others from it. Raises MailboxesTroubledError at the end.
    """
    stores = wiring.stores
    results: list[T] = []
    troubles: list[str] = []
    for alias in await stores.directory.find(Alias):
        if not alias.mailbox_id or alias.is_locked or not wanted(alias):
            continue
        try:
            key = await stores.directory.mailbox_key(alias.mailbox_id)
            if key is not None:
                with key:
                    mailbox = await stores.mailboxes.open(alias.mailbox_id, key)
                results.append(await work(mailbox))
        except (MailsteadError, OSError) as error:
            troubles.append(f"{alias.address}: {error}")
    _tell(troubles)
    return results


def _tell(troubles: list[str]) -> None:
    if troubles:
        more = f" and {len(troubles) - _NAMED} more" if len(troubles) > _NAMED else ""
        raise MailboxesTroubledError("; ".join(troubles[:_NAMED]) + more)
