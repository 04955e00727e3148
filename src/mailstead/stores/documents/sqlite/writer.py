"""Group commit: the writes that wait at the same time share one transaction and one fsync.

Statements run on the event loop, where each takes microseconds, because a thread would wait for the interpreter's lock
after each of them. What may block runs in one thread: waiting for another process's transaction, and the commit. While
a commit is under way, the next writes gather. A write that is long by its nature (`heavy`) has a transaction of its own
in the thread.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import apsw

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.stores.documents.interface import StoreUnavailableError
from mailstead.stores.documents.sqlite.connection import (
    BUDGET_STEP,
    Budget,
    open_connection,
    roll_back,
    storage_errors,
    transaction,
)

T = TypeVar("T")
_LOOP_SHARE = 0.003  # seconds of statements in one batch before the loop gets its turn
_CLAIM_BUDGET = 20


class _Waiting(NamedTuple):
    write: Callable[[apsw.Connection], Any]
    heavy: bool
    future: asyncio.Future[Any]


class Writer:
    """The one connection that writes; `on_begin` is called in each transaction before its first write.

    A write is a function of the connection that does all or nothing: it raises a MailsteadError with nothing changed.
    """

    def __init__(self, path: Path, settings: DocumentsSettings, on_begin: Callable[[apsw.Connection], None]) -> None:
        self._connection, self._patience = open_connection(path, settings)
        self._thread = ThreadPoolExecutor(1, "documents-write")
        self._on_begin = on_begin
        self._batch_limit = settings.batch_limit
        self._waiting: deque[_Waiting] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._budget = Budget()

    async def run(self, write: Callable[[apsw.Connection], T], *, heavy: bool = False) -> T:
        """The result of `write` once it is durable. Raises what it raised, or StoreUnavailableError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(write, heavy, future))
        if self._drain is None or self._drain.done():
            self._drain = loop.create_task(self._work())
        return await future

    def short_search(self, search: Callable[[], T]) -> T:
        """The result of `search` on this connection. Raises apsw.InterruptError when it is too long for the loop.

        Only for reading statements: an interrupted write would undo the whole transaction.
        """
        self._budget.left = _CLAIM_BUDGET
        self._connection.set_progress_handler(self._budget, BUDGET_STEP)
        try:
            return search()
        finally:
            self._connection.set_progress_handler(None)

    async def close(self) -> None:
        """Commit what waits, then close the connection."""
        while self._drain is not None and not self._drain.done():
            await asyncio.wait([self._drain])
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._waiting[0].heavy:
                waiting = self._waiting.popleft()
                if not waiting.future.cancelled():
                    _settle(waiting, await loop.run_in_executor(self._thread, self._write_alone, waiting))
                continue
            batch: list[tuple[_Waiting, Any]] = []
            try:
                if not self._begin_now():
                    await loop.run_in_executor(self._thread, self._begin)
                batch = self._apply()
                await loop.run_in_executor(self._thread, self._commit)
            except (StoreUnavailableError, apsw.Error) as error:
                if not batch:  # no transaction was to be had: those who waited for it are told
                    batch = [(waiting, None) for waiting in self._waiting]
                    self._waiting.clear()
                batch = [(waiting, error) for waiting, _ in batch]
            for waiting, outcome in batch:
                _settle(waiting, outcome)

    def _begin_now(self) -> bool:
        self._patience.on = False
        try:
            with storage_errors():
                self._connection.execute("BEGIN IMMEDIATE")
        except StoreUnavailableError as error:
            if not isinstance(error.__cause__, apsw.BusyError):
                raise
            return False
        finally:
            self._patience.on = True
        return True

    def _begin(self) -> None:
        with storage_errors():
            self._connection.execute("BEGIN IMMEDIATE")

    def _apply(self) -> list[tuple[_Waiting, Any]]:
        """Run what waits, as much as the loop's share and the batch limit allow; each with its result or error."""
        batch: list[tuple[_Waiting, Any]] = []
        until = time.perf_counter() + _LOOP_SHARE
        try:
            with storage_errors():
                self._on_begin(self._connection)
        except StoreUnavailableError:
            roll_back(self._connection)
            raise
        while self._waiting and not self._waiting[0].heavy and len(batch) < self._batch_limit:
            waiting = self._waiting.popleft()
            if waiting.future.cancelled():
                continue
            try:
                with storage_errors():
                    outcome = waiting.write(self._connection)
            except apsw.InterruptError:
                self._waiting.appendleft(waiting._replace(heavy=True))
                break
            except MailsteadError as error:
                outcome = error
                if isinstance(error, StoreUnavailableError):
                    return self._undo(batch, waiting, error)
            except Exception as error:  # noqa: BLE001 a mistake of ours: the caller gets it, not this loop
                return self._undo(batch, waiting, error)
            batch.append((waiting, outcome))
            if time.perf_counter() > until:
                break
        return batch

    def _undo(
        self, batch: list[tuple[_Waiting, Any]], failed: _Waiting, error: Exception
    ) -> list[tuple[_Waiting, Any]]:
        """Roll back; the other writes of the batch were right, and are told to come again."""
        roll_back(self._connection)
        undone = StoreUnavailableError(detail=f"a write of the same batch failed: {error!r}")
        return [*((done, undone) for done, _ in batch), (failed, error)]

    def _commit(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            with storage_errors():
                self._connection.execute("COMMIT")
        finally:
            roll_back(self._connection)

    def _write_alone(self, waiting: _Waiting) -> Any:
        try:
            with storage_errors(), transaction(self._connection):
                self._on_begin(self._connection)
                return waiting.write(self._connection)
        except Exception as error:  # noqa: BLE001 the caller gets it
            return error


def _settle(waiting: _Waiting, outcome: Any) -> None:
    if waiting.future.cancelled():
        return
    if isinstance(outcome, Exception):
        waiting.future.set_exception(outcome)
    else:
        waiting.future.set_result(outcome)
