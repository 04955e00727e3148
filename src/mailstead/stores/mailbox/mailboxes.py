"""All mailboxes of this node: opened on demand, kept while used, delivered to with group commit."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec
import structlog

from mailstead.formats.message.part import Bounds
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Slot
from mailstead.foundation.errors import MailsteadError, NotFoundError
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.errors import MailboxBusyError, MailboxDamagedError, WrongKeyError
from mailstead.stores.mailbox.files import FILE, KEYRING, Rotation, set_aside, take_over
from mailstead.stores.mailbox.filing import Filed, Place
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.handle import Handle
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.pace import Pace
from mailstead.stores.mailbox.records import Receipt
from mailstead.stores.mailbox.rotation import Reached, alone, rotate_file
from mailstead.stores.mailbox.sealed import is_any_waiting, sealed_header, write_sealed

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger("mailstead.mailbox")
_INDEX_BATCH = 50
_GROUP_OCTETS = 32 * 1024 * 1024
_SWEEP_SECONDS = 5.0
_LET_GO_SECONDS = 0.05


class _Delivery(msgspec.Struct):
    filed: tuple[Filed, ...]
    quota: int | None
    done: "asyncio.Future[list[Receipt]]"


class Mailboxes:
    """The mailbox files under `root`; `on_commit(mailbox_id, modseq)` is called on any thread after each change.

    So is `on_lessons(mailbox_id)` after a move that teaches the mailbox what junk is.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        *,
        clock: Clock,
        on_commit: Callable[[str, int], None],
        on_lessons: Callable[[str], None] | None = None,
    ) -> None:
        self._root = root
        self._settings = settings.mailbox
        self._tombstone_days = settings.dav.tombstone_days
        self._bounds = Bounds(
            nesting=settings.mime.nesting,
            parts=settings.mime.parts,
            header_size=settings.mime.header_size,
            addresses=settings.mime.addresses,
        )
        self._clock = clock
        self._on_commit = on_commit
        self._on_lessons = on_lessons or _nobody_learns
        self._handles: OrderedDict[str, Handle] = OrderedDict()
        self._pool = ThreadPoolExecutor(settings.mailbox.threads, thread_name_prefix="mailbox")
        self._deliveries: dict[str, list[_Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._reads, self._writes = Pace(), Pace()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` on one of the mailbox threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def run_short(self, mailbox: Mailbox, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, which reads a little of `mailbox`: here when that is quick, else on a thread."""
        if mailbox.is_at_hand and self._reads.is_quick():
            return self._reads.timed(lambda: function(*args, **kwargs))
        return await self.run(function, *args, **kwargs)

    async def run_write(self, mailbox: Mailbox, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, one small transaction of `mailbox`: here when no writer is in the way, else on a thread."""
        if mailbox.is_at_hand and self._writes.is_quick():
            try:
                with mailbox.at_once():
                    return self._writes.timed(lambda: function(*args, **kwargs))
            except MailboxBusyError:
                pass  # nothing was written: another writer was at work
        return await self.run(function, *args, **kwargs)

    def directory(self, mailbox_id: str) -> Path:
        """The folder of a mailbox."""
        return self._root / mailbox_id[-2:] / mailbox_id

    def keyrings(self) -> list[Path]:
        """The keyrings beside all mailboxes of this node."""
        return sorted(self._root.glob(f"*/*/{KEYRING}"))

    async def open(self, mailbox_id: str, key: DataKey) -> Mailbox:
        """The mailbox, made when it is new; sealed mail that waits is taken in, and what was put off until now wakes.

        As long as the caller holds it, mail for it is stored even when the mailbox is locked. Raises WrongKeyError.
        """
        mailbox = await self._opened(mailbox_id, key)
        mailbox.hold()
        wakes_at, now = await self.run_short(mailbox, mailbox.snoozed.next_wake), self._clock.now()
        if wakes_at is not None and wakes_at <= now:
            await self.run(mailbox.snoozed.wake, now)
        return mailbox

    async def _opened(self, mailbox_id: str, key: DataKey) -> Mailbox:
        handle = self._handles.get(mailbox_id)
        if handle is None:
            handle = Handle(
                mailbox_id, self.directory(mailbox_id), key, self._settings, self._committed, self._on_lessons
            )
            self._handles[mailbox_id] = handle
        elif not handle.accepts(key) and not await self.run(handle.opens_with, key):
            raise WrongKeyError
        self._handles.move_to_end(mailbox_id)
        mailbox = Mailbox(handle, self._bounds, self._settings.undelete_days, self._tombstone_days)
        if not handle.is_open:
            try:
                await self.run(mailbox.ingest)
                await self.run(mailbox.usage)  # opens the file: a wrong key is noticed here
            except WrongKeyError:
                self._handles.pop(mailbox_id, None)
                handle.forget()
                raise
            self._close_idle()
        elif is_any_waiting(handle.folder / "incoming"):
            await self.run(mailbox.ingest)
        return mailbox

    def at_hand(self, mailbox_id: str) -> Mailbox | None:
        """A mailbox that this process has the key of, None for others."""
        handle = self._handles.get(mailbox_id)
        return (
            None
            if handle is None
            else Mailbox(handle, self._bounds, self._settings.undelete_days, self._tombstone_days)
        )

    def _close_idle(self) -> None:
        """Close files past the limit or long unused; without a session that holds it a mailbox's key goes, too."""
        if self._sweep is None and self._handles:
            self._sweep = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._swept)
        now = time.monotonic()
        excess = sum(handle.is_open for handle in self._handles.values()) - self._settings.open_limit
        for mailbox_id, handle in list(self._handles.items()):
            idle = now - handle.used_at > self._settings.idle_close
            if handle.is_open and (excess > 0 or idle):
                handle.close()
                excess -= 1
            if idle and not handle.is_open and not handle.users:
                self.forget(mailbox_id)

    def _swept(self) -> None:
        self._sweep = None
        for mailbox_id, handle in self._handles.items():
            handle.let_go()
            if handle.damage:
                self._spawn(self._look_at_damage(mailbox_id, handle))
        self._close_idle()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_at_damage(self, mailbox_id: str, handle: Handle) -> None:
        """A read failed: see whether the file is at fault, and set it aside then."""
        handle.damage = ""
        try:
            with handle.current_key() as key:
                await self.set_aside_if_damaged(mailbox_id, key)
        except (MailsteadError, OSError) as error:
            log.error("damaged mailbox not set aside", mailbox=mailbox_id, why=str(error))

    async def set_aside_if_damaged(self, mailbox_id: str, key: DataKey) -> Path | None:
        """Rename the file of a mailbox when SQLite finds it damaged; where it is then, None when it is whole.

        It is never overwritten. Until a snapshot is put in its place the mailbox does not open, and mail for it is
        sealed. Raises WrongKeyError, MailboxBusyError, OSError.
        """
        folder = self.directory(mailbox_id)
        if not (folder / FILE).exists():
            return None
        try:
            mailbox = await self._opened(mailbox_id, key)
            problems = await self.run(mailbox.file_problems)
        except MailboxDamagedError as error:
            problems = [str(error)]
        if not problems:
            return None
        async with self.alone(mailbox_id, _nobody_else):
            stamp = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
            aside = await self.run(set_aside, folder, stamp)
        log.critical("damaged mailbox set aside", mailbox=mailbox_id, file=str(aside), problems=problems[:3])
        return aside

    def let_go(self, mailbox_id: str) -> None:
        """Close the file if another process wants to be alone with it; else that is noticed within some seconds."""
        handle = self._handles.get(mailbox_id)
        if handle is not None:
            handle.let_go()

    def follow(self, mailbox_id: str, handover: bytes) -> None:
        """The data key was rotated: go on with the new one, which is wrapped under the one before."""
        handle = self._handles.get(mailbox_id)
        if handle is None:
            return
        with handle.current_key() as key:
            following = take_over(key, handover)
        if following is not None:
            with following:
                handle.adopt(following)

    @asynccontextmanager
    async def alone(self, mailbox_id: str, ask: Callable[[], Awaitable[None]]) -> AsyncIterator[Path]:
        """While this lasts nobody has the mailbox's file open, here or in another process; its folder.

        `ask` is called when others have it: it tells them to let go, which they notice by themselves, only later.
        Raises MailboxBusyError when somebody does not let go in time.
        """
        folder = self.directory(mailbox_id)
        waiting = alone(folder, self._settings.let_go_timeout)
        entered = asyncio.ensure_future(self.run(waiting.__enter__))
        pause = _LET_GO_SECONDS
        while not (await asyncio.wait((entered,), timeout=pause))[0]:
            self.let_go(mailbox_id)
            await ask()
            pause = min(pause * 2, 1.0)
        entered.result()
        try:
            yield folder
        finally:
            await self.run(waiting.__exit__, None, None, None)

    async def rotate_file(
        self, mailbox_id: str, key: DataKey, following: DataKey, slots: tuple[Slot, ...], reached: Reached
    ) -> Rotation:
        """See rotation.rotate_file; within `alone`."""
        settings, folder = self._settings, self.directory(mailbox_id)
        if not (folder / FILE).exists():
            raise NotFoundError("The mailbox has no file yet")
        return await self.run(
            rotate_file, folder, key, following, slots, settings.cipher, settings.busy_timeout, reached
        )

    def _committed(self, mailbox_id: str, modseq: int) -> None:
        self._on_commit(mailbox_id, modseq)

    async def deliver(
        self,
        mailbox_id: str,
        key: DataKey | None,
        public_key: bytes,
        message: Spool,
        *,
        folder: str = INBOX,
        flags: int = 0,
        keywords: str = "",
        internal_date: int | None = None,
        quota: int | None = None,
        delivery_id: str = "",
        create: bool = False,
        special_use: str = "",
    ) -> Receipt:
        """Deliver one message; durable when this returns. Tried again with the same `delivery_id`, it is taken once.

        All that wait for one mailbox go into one transaction. Without `key`, and with no session of the owner in this
        process, the message is sealed to `public_key`; so it is when the file is damaged, until one is put back.
        The folder of `special_use` comes before `folder`, which is made with `create`; INBOX when there is neither.
        Raises OverQuotaError, MailboxBusyError, OSError.
        """
        place = Place(folder, flags, keywords, delivery_id, create, special_use)
        (receipt,) = await self.file(
            mailbox_id, key, public_key, [(message, (place,))], internal_date=internal_date, quota=quota
        )
        return receipt

    async def file(
        self,
        mailbox_id: str,
        key: DataKey | None,
        public_key: bytes,
        messages: Sequence[tuple[Spool, tuple[Place, ...]]],
        *,
        internal_date: int | None = None,
        quota: int | None = None,
    ) -> list[Receipt]:
        """The same for one message in several places, or several forms of it: one receipt for each place, in order.

        All is done in one transaction, or sealed: then each form is one file, and what was cut off is taken once when
        it is tried again.
        """
        date = int(self._clock.now()) if internal_date is None else internal_date
        handle = self._handles.get(mailbox_id)
        own: DataKey | None = None
        if key is not None:
            own = key.copy()
        elif handle is not None and handle.users:
            own = handle.current_key()
        if own is not None:
            try:
                return await self._deliver_open(mailbox_id, own, messages, date, quota)
            except MailboxDamagedError:
                if not public_key:
                    raise
                log.error("delivered sealed for the mailbox is damaged", mailbox=mailbox_id)
        receipts: list[Receipt] = []
        incoming = self.directory(mailbox_id) / "incoming"
        for message, places in messages:
            header = sealed_header(Filed(b"", places, date))
            ulid = await self.run(write_sealed, incoming, public_key, header, message)
            receipts += (Receipt(place.folder, 0, ulid, True) for place in places)
        self._on_commit(mailbox_id, 0)  # a session of the owner in another process can take it in
        return receipts

    async def _deliver_open(
        self,
        mailbox_id: str,
        key: DataKey,
        messages: Sequence[tuple[Spool, tuple[Place, ...]]],
        date: int,
        quota: int | None,
    ) -> list[Receipt]:
        """`key` is closed here."""
        loop = asyncio.get_running_loop()
        filed = tuple(Filed(message.octets(), places, date) for message, places in messages)
        delivery = _Delivery(filed, quota, loop.create_future())
        queue = self._deliveries.get(mailbox_id)
        if queue is None:
            queue = self._deliveries[mailbox_id] = []
            self._spawn(self._deliver_all(mailbox_id, key))
        else:
            key.close()
        queue.append(delivery)
        return await delivery.done

    async def _deliver_all(self, mailbox_id: str, key: DataKey) -> None:
        """`key` is this task's own and closed here."""
        with key:
            try:
                await self._deliver_groups(mailbox_id, key, self._deliveries[mailbox_id])
            finally:
                for delivery in self._deliveries.pop(mailbox_id):
                    _fail(delivery.done, MailboxDamagedError(detail="the delivery was cut off"))
            try:
                mailbox = await self._opened(mailbox_id, key)
                await self.run(mailbox.index_pending, _INDEX_BATCH)
            except MailsteadError as error:
                log.warning("indexing put off", mailbox=mailbox_id, why=str(error))

    async def _deliver_groups(self, mailbox_id: str, key: DataKey, queue: list[_Delivery]) -> None:
        await asyncio.sleep(0)  # whoever delivers in this turn of the loop joins the first group
        while queue:
            group, size = [], 0
            while queue and size < _GROUP_OCTETS:
                group.append(queue.pop(0))
                size += sum(len(one.raw) for one in group[-1].filed)
            try:
                mailbox = await self._opened(mailbox_id, key)
                await self.run(self._deliver_group, mailbox, group, asyncio.get_running_loop())
            except (MailsteadError, OSError) as error:
                for delivery in group:
                    _fail(delivery.done, error)
            finally:
                for delivery in group:
                    _fail(delivery.done, MailboxDamagedError(detail="the delivery was cut off"))

    @staticmethod
    def _deliver_group(mailbox: Mailbox, group: list[_Delivery], loop: asyncio.AbstractEventLoop) -> None:
        """One transaction for all of one quota; what cannot be taken together is tried one by one."""
        by_quota: dict[int | None, list[_Delivery]] = {}
        for delivery in group:
            by_quota.setdefault(delivery.quota, []).append(delivery)
        for quota, deliveries in by_quota.items():
            for attempt in ([deliveries], [[one] for one in deliveries]):
                failed: list[_Delivery] = []
                for together in attempt:
                    try:
                        receipts = mailbox.file([one for delivery in together for one in delivery.filed], quota)
                    except MailsteadError as error:
                        if len(together) > 1:
                            failed = together
                            break
                        loop.call_soon_threadsafe(_fail, together[0].done, error)
                    else:
                        rest = iter(receipts)
                        for delivery in together:
                            own = [receipt for _ in delivery.filed for receipt in next(rest)]
                            loop.call_soon_threadsafe(_finish, delivery.done, own)
                if not failed:
                    break

    def forget(self, mailbox_id: str) -> None:
        """Close a mailbox for good in this process."""
        handle = self._handles.pop(mailbox_id, None)
        if handle is not None:
            handle.forget()

    async def close(self) -> None:
        """Wait for deliveries, close every file, zero every key."""
        if self._sweep is not None:
            self._sweep.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        for handle in self._handles.values():
            await self.run(handle.forget)
        self._handles.clear()
        self._pool.shutdown()


def _nobody_learns(_: str) -> None:
    """Without anybody who reads them lessons wait."""


async def _nobody_else() -> None:
    """Other processes notice by themselves that they shall let go."""


def _finish(done: "asyncio.Future[list[Receipt]]", receipts: list[Receipt]) -> None:
    if not done.done():
        done.set_result(receipts)


def _fail(done: "asyncio.Future[list[Receipt]]", error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
